import { Button, Switch } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { Count } from "@/components/Count";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { useFocusKept } from "@/lib/focus";
import { number } from "@/lib/time";
import { settings } from "@/strings/settings";
import { Act, Acts, actsColumn, because, orNull, Section, useDone } from "./Parts";
import { type Policy, policiesQuery, prospectsQuery, shorterQuery, useWhole } from "./queries";
import classes from "./Settings.module.css";

const words = settings.retention;

type Open = { act: "change" | "reset"; policy: Policy } | null;
type Prospects = ReadonlyMap<string, Schemas["Prospect"]>;

export function Retention() {
  const found = useWhole(policiesQuery);
  const [asked, setAsked] = useState(false);
  const preview = useQuery({ ...prospectsQuery, enabled: asked });
  const counting = useFocusKept(preview.isFetching);
  const [open, setOpen] = useState<Open>(null);
  const columns = useMemo(() => {
    const by = new Map((preview.data?.items ?? []).map((one) => [one.kind, one]));
    return columnsOf(setOpen, by);
  }, [preview.data]);
  const close = () => setOpen(null);
  return (
    <Section
      alone
      title={settings.pages.retention}
      lead={preview.data === undefined ? null : words.previewNote}
      actions={
        <RoleGate needs="operator">
          <Button
            ref={counting}
            variant="default"
            loading={preview.isFetching}
            onClick={() => (asked ? void preview.refetch() : setAsked(true))}
          >
            {words.preview}
          </Button>
        </RoleGate>
      }
    >
      <Listing
        label={settings.pages.retention}
        found={found}
        columns={columns}
        rowId={(one) => one.kind}
        keys
        rows={8}
        never={{ title: "", text: "" }}
      />
      {open === null ? null : open.act === "change" ? (
        <Change policy={open.policy} onClose={close} />
      ) : (
        <Reset policy={open.policy} onClose={close} />
      )}
    </Section>
  );
}

function kept(days: number | null): string {
  return days === null ? words.forEver : words.days(days);
}

interface Props {
  policy: Policy;
  onClose: () => void;
}

function Change({ policy, onClose }: Props) {
  const [forEver, setForEver] = useState(policy.days === null);
  const [days, setDays] = useState<string | number>(policy.days ?? policy.default_days ?? 90);
  const done = useDone("retention");
  return (
    <ReasonDialog
      opened
      danger
      onClose={onClose}
      title={words.changeTitle(policy.kind)}
      submit={words.submit}
      ready={forEver || Number(days) >= policy.least_days}
      cli={(reason) =>
        `stepwell retention set ${policy.kind} ${forEver ? "--for-ever" : `--days ${days}`}${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.PATCH("/api/v1/retention/{kind}", {
            params: { path: { kind: policy.kind } },
            body: { days: forEver ? null : Number(days), reason },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>{policy.what}</p>
      <Switch
        label={words.forEver}
        checked={forEver}
        onChange={(event) => setForEver(event.currentTarget.checked)}
      />
      <NumberField
        label={words.inDays}
        description={words.least(policy.least_days)}
        value={days}
        min={policy.least_days}
        max={36_500}
        disabled={forEver}
        data-autofocus
        onChange={setDays}
      />
      <WouldGo policy={policy} days={forEver ? null : Number(days)} />
    </ReasonDialog>
  );
}

/** What a shorter length removes: it does not come back. */
function WouldGo({ policy, days }: { policy: Policy; days: number | null }) {
  const [asked] = useDebouncedValue(days, 300);
  const shorter = asked !== null && asked >= policy.least_days && asked < (policy.days ?? Infinity);
  const { data } = useQuery({ ...shorterQuery(policy.kind, asked ?? 0), enabled: shorter });
  if (!shorter) return null;
  const found = data?.items[0];
  return (
    <p className={classes.lead} role="status">
      {found === undefined
        ? words.counting
        : words.wouldGo(`${number(found.count)}${found.more ? "+" : ""}`, asked)}
    </p>
  );
}

function Reset({ policy, onClose }: Props) {
  const done = useDone("retention");
  return (
    <ReasonDialog
      opened
      danger
      onClose={onClose}
      title={words.resetTitle(policy.kind)}
      submit={words.reset}
      cli={(reason) => `stepwell retention set ${policy.kind} --default${because(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.DELETE("/api/v1/retention/{kind}", {
            params: { path: { kind: policy.kind }, query: { reason: orNull(reason) } },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>
        {words.default}: {kept(policy.default_days)}
      </p>
      <WouldGo policy={policy} days={policy.default_days} />
    </ReasonDialog>
  );
}

function columnsOf(onOpen: (open: Open) => void, prospects: Prospects): Column<Policy>[] {
  const columns: Column<Policy>[] = [
    {
      key: "kind",
      header: words.kind,
      card: "head",
      sort: (one) => one.kind,
      cell: (one) => (
        <div className={classes.two}>
          <span className={classes.name}>{one.kind}</span>
          <span className={classes.small}>{one.what}</span>
        </div>
      ),
    },
    {
      key: "days",
      header: words.kept,
      width: "13rem",
      sort: (one) => one.days ?? Number.MAX_SAFE_INTEGER,
      cell: (one) => (
        <div className={classes.two}>
          <span>{kept(one.days)}</span>
          {one.changed_by == null ? null : (
            <span className={classes.small} title={one.reason ?? undefined}>
              {one.changed_by} <Instant at={one.changed_at} as="ago" />
              {one.reason ? `: ${one.reason}` : ""}
            </span>
          )}
        </div>
      ),
    },
    {
      key: "default",
      header: words.default,
      width: "7rem",
      cell: (one) => <span className="sw-soft">{kept(one.default_days)}</span>,
    },
    actsColumn("12rem", (one) => (
      <Acts>
        <Act
          needs="admin"
          label={words.change}
          name={one.kind}
          onClick={() => onOpen({ act: "change", policy: one })}
        />
        {one.changed_by == null ? null : (
          <Act
            needs="admin"
            label={words.reset}
            name={one.kind}
            onClick={() => onOpen({ act: "reset", policy: one })}
          />
        )}
      </Acts>
    )),
  ];
  if (prospects.size === 0) return columns;
  columns.splice(3, 0, {
    key: "next",
    header: words.next,
    width: "8rem",
    align: "end",
    cell: (one) => {
      const next = prospects.get(one.kind);
      return next === undefined ? null : <Count value={next.count} more={next.more} />;
    },
  });
  return columns;
}
