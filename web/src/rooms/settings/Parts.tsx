/** What the parts of the settings have in common: sections, lists, dialogs, secrets shown once. */

import { Badge, Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLock, IconPlus } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { covers, type Role, useMe } from "@/api/session";
import { CodeBlock } from "@/components/CodeBlock";
import type { Column } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { Face } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { RoleGate } from "@/components/RoleGate";
import { announce } from "@/lib/announce";
import { settings as words } from "@/strings/settings";
import classes from "./Settings.module.css";

interface SectionProps {
  title: string;
  /** The page says it already: its only section. */
  alone?: boolean;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, alone, lead, actions, children }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      <header className={classes.head}>
        <div className="sw-grow">
          <h2 className={alone ? "sw-hidden" : classes.title}>{title}</h2>
          {lead ? <p className={classes.lead}>{lead}</p> : null}
        </div>
        {actions ? <div className="sw-row sw-wrap">{actions}</div> : null}
      </header>
      {children}
    </section>
  );
}

/** The part, or why somebody of another role does not see it. */
export function For({ needs, part, children }: { needs: Role; part: string; children: ReactNode }) {
  const me = useMe();
  if (covers(me.role, needs)) return children;
  return (
    <div className="sw-panel">
      <Face icon={<IconLock size={26} stroke={1.4} />} title={words.closed(part)}>
        <p>{words.closedText(needs, me.role)}</p>
      </Face>
    </div>
  );
}

interface AddProps {
  needs: Role;
  label: string;
  /** What the page is for. */
  main?: boolean;
  act: () => void;
}

/** The button of a section that makes something new. */
export function Add({ needs, label, main, act }: AddProps) {
  return (
    <RoleGate needs={needs}>
      <Button
        variant={main ? "filled" : "default"}
        leftSection={<IconPlus size={14} />}
        onClick={act}
      >
        {label}
      </Button>
    </RoleGate>
  );
}

interface ActProps {
  needs: Role;
  label: string;
  /** For those who hear only the button: "Revoke ci". */
  name: string;
  danger?: boolean;
  blocked?: string | null;
  loading?: boolean;
  onClick: () => void;
}

/** A button of a row. */
export function Act({ needs, label, name, danger, blocked, loading, onClick }: ActProps) {
  return (
    <RoleGate needs={needs} blocked={blocked}>
      <Button
        variant="default"
        size="compact-xs"
        className={classes.act}
        data-danger={danger || undefined}
        aria-label={`${label} ${name}`}
        loading={loading}
        onClick={onClick}
      >
        {label}
      </Button>
    </RoleGate>
  );
}

export function Acts({ children }: { children: ReactNode }) {
  return <div className={classes.acts}>{children}</div>;
}

/** The column that names a row. */
export function nameColumn<Row extends { name: string }>(cell: Column<Row>["cell"]): Column<Row> {
  return { key: "name", header: words.name, card: "head", sort: (one) => one.name, cell };
}

/** The column of a row's buttons. */
export function actsColumn<Row>(width: string, cell: Column<Row>["cell"]): Column<Row> {
  return { key: "acts", header: words.acts, width, card: "sentence", cell };
}

type Tone = "good" | "bad" | "warn" | "plain";

const COLOURS = { good: "green", bad: "red", warn: "yellow", plain: "gray" } as const;

/** A word about a row; its colour only repeats it. */
export function Word({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <Badge className={classes.word} data-tone={tone} color={COLOURS[tone]} size="sm">
      {children}
    </Badge>
  );
}

export interface Shown {
  title: string;
  label: string;
  secret: string;
  until?: string | null;
}

/** A secret, this once: only its own button closes it. */
export function Once({ shown, onClose }: { shown: Shown | null; onClose: () => void }) {
  return (
    <Dialog
      opened={shown !== null}
      onClose={onClose}
      title={shown?.title}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      {shown === null ? null : (
        <div className="sw-stack">
          <p className={classes.lead}>{words.once.lead}</p>
          <div>
            <div className="sw-label">{shown.label}</div>
            <CodeBlock label={shown.label} wrap>
              {shown.secret}
            </CodeBlock>
          </div>
          {shown.until ? (
            <p className={classes.lead}>
              {words.once.until} <Instant at={shown.until} as="exact" />
            </p>
          ) : null}
          <div className={classes.end}>
            <Button onClick={onClose}>{words.once.done}</Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** After a change: say so, and fetch what it has made old. */
export function useDone(...keys: string[]) {
  const cache = useQueryClient();
  return async (said: string = words.done) => {
    notifications.show({ message: said });
    announce(said);
    await Promise.all(
      [...keys, "audit"].map((key) => cache.invalidateQueries({ queryKey: [key] })),
    );
  };
}

/** An empty reason is none. */
export function orNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

export function because(reason: string): string {
  return reason === "" ? "" : ` --reason '${reason.replaceAll("'", "'\\''")}'`;
}
