import { Button, Skeleton } from "@mantine/core";
import { IconAlertTriangle, IconFilterOff, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asApiError } from "@/api/error";
import { common } from "@/strings/common";
import { Coded } from "./Coded";
import { CopyButton } from "./CopyButton";
import classes from "./FourFaces.module.css";

interface Props {
  loading: boolean;
  error?: unknown;
  onRetry?: () => void;
  empty: boolean;
  /** Whether filters are set: then the emptiness is theirs. */
  filtered?: boolean;
  /** Never used: what this list is for, and the one thing to do first. */
  never: { title: string; text: ReactNode; action?: ReactNode; icon?: ReactNode };
  /** Nothing fits: which filters there are, and how to be rid of them. */
  nothing?: { title: string; text?: ReactNode; onClear?: () => void; action?: ReactNode };
  /** How the list looks while it loads; some rows by default. */
  skeleton?: ReactNode;
  rows?: number;
  children: ReactNode;
}

/** The four faces of every list: loading, never used, empty by filter, error; else the list. */
export function FourFaces(props: Props) {
  const { loading, error, empty, filtered = false, never, nothing, children } = props;
  if (error) return <ErrorFace error={error} onRetry={props.onRetry} />;
  if (loading) return <>{props.skeleton ?? <SkeletonRows rows={props.rows} />}</>;
  if (!empty) return <>{children}</>;
  if (filtered && nothing) {
    return (
      <Face icon={<IconFilterOff size={26} stroke={1.4} />} title={nothing.title}>
        {nothing.text}
        <div className={classes.actions}>
          {nothing.action}
          {nothing.onClear ? (
            <Button variant="default" onClick={nothing.onClear}>
              {common.clear}
            </Button>
          ) : null}
        </div>
      </Face>
    );
  }
  return (
    <Face icon={never.icon} title={never.title}>
      {never.text}
      {never.action ? <div className={classes.actions}>{never.action}</div> : null}
    </Face>
  );
}

interface FaceProps {
  /** Of the heading: 1 where it is the whole page. */
  level?: 1 | 2;
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
}

export function Face({ icon, title, level = 2, children }: FaceProps) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <div className={classes.face}>
      {icon ? <div className={classes.icon}>{icon}</div> : null}
      <Heading className={classes.title}>{title}</Heading>
      <div className={classes.text}>{children}</div>
    </div>
  );
}

/** What failed, why, what to do, and the id under which the server's log has it. */
export function ErrorFace({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asApiError(error);
  return (
    <div className={classes.face} role="alert">
      <div className={classes.icon} data-error>
        <IconAlertTriangle size={26} stroke={1.4} />
      </div>
      <h2 className={classes.title}>{problem.what}</h2>
      <div className={classes.text}>
        {problem.why ? (
          <p>
            <Coded>{problem.why}</Coded>
          </p>
        ) : null}
        {problem.fix ? (
          <p>
            <Coded>{problem.fix}</Coded>
          </p>
        ) : null}
        {problem.correlationId ? (
          <p className={classes.id}>
            {common.correlation} <code>{problem.correlationId}</code>
            <CopyButton value={problem.correlationId} label={common.correlation} />
          </p>
        ) : null}
        {onRetry && problem.status !== 404 ? (
          <div className={classes.actions}>
            <Button
              variant="default"
              leftSection={<IconRefresh size={15} />}
              onClick={() => onRetry()}
            >
              {common.retry}
            </Button>
          </div>
        ) : null}
      </div>
    </div>
  );
}

export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  return (
    <div className={classes.skeleton} role="status" aria-label={common.loading}>
      {Array.from({ length: rows }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <Skeleton key={at} height={14} width={`${92 - ((at * 37) % 45)}%`} radius="sm" />
      ))}
    </div>
  );
}
