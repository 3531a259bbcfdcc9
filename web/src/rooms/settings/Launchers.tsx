import { Button } from "@mantine/core";
import { IconCheck, IconCloudOff, IconRefresh, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { covers, useMe } from "@/api/session";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyButton } from "@/components/CopyButton";
import type { Column } from "@/components/DataTable";
import { Face } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { RoleGate } from "@/components/RoleGate";
import { foundRows } from "@/lib/found";
import { settings } from "@/strings/settings";
import { For, Section, Word } from "./Parts";
import {
  type Launcher,
  launchersQuery,
  type Permission,
  permissionsQuery,
  useWhole,
} from "./queries";
import classes from "./Settings.module.css";

const words = settings.launchers;

export function Launchers() {
  const found = useWhole(launchersQuery);
  const cluster = found.rows.find((one) => one.permitted);
  const here = found.rows.filter((one) => one.enabled).map((one) => one.name);
  return (
    <>
      <Section title={settings.pages.launchers} alone>
        <Listing
          label={settings.pages.launchers}
          found={found}
          columns={LAUNCHERS}
          rowId={(one) => one.name}
          quiet={(one) => !one.enabled}
          rows={3}
          never={{ title: "", text: "" }}
        />
      </Section>
      {found.loading || found.error ? null : cluster === undefined ? (
        <NoCluster here={here} />
      ) : (
        <Permissions launcher={cluster.name} />
      )}
    </>
  );
}

const LAUNCHERS: Column<Launcher>[] = [
  {
    key: "name",
    header: settings.name,
    width: "8rem",
    card: "head",
    cell: (one) => <span className={classes.name}>{one.name}</span>,
  },
  {
    key: "enabled",
    header: words.here,
    width: "7rem",
    cell: (one) => (
      <Word tone={one.enabled ? "good" : "plain"}>{one.enabled ? words.enabled : words.off}</Word>
    ),
  },
  {
    key: "sentence",
    header: words.starts,
    cell: (one) => (
      <span className={classes.broken}>
        {one.sentence}
        {one.enabled ? null : (
          <span className={classes.small}>
            {words.toHave} <code>{one.fix}</code>
          </span>
        )}
      </span>
    ),
  },
];

function NoCluster({ here }: { here: string[] }) {
  return (
    <Section title={words.permissions}>
      <div className="sw-panel">
        <Face icon={<IconCloudOff size={26} stroke={1.4} />} title={words.noCluster}>
          <p>{words.noClusterText(here)}</p>
        </Face>
      </div>
    </Section>
  );
}

function Permissions({ launcher }: { launcher: string }) {
  const me = useMe();
  const allowed = covers(me.role, "admin");
  const asked = useQuery({ ...permissionsQuery(launcher), enabled: allowed });
  const found = asked.data;
  const columns = useMemo(() => columnsOf(), []);
  return (
    <Section
      title={words.permissions}
      lead={
        found === undefined ? (
          words.lead
        ) : (
          <>
            {words.asked(found.subject, found.server)} <Instant at={found.as_of} />.
          </>
        )
      }
      actions={
        <RoleGate needs="admin">
          <Button
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={asked.isFetching}
            onClick={() => void asked.refetch()}
          >
            {words.again}
          </Button>
        </RoleGate>
      }
    >
      <For needs="admin" part={words.permissions}>
        {found === undefined || asked.error ? null : <Verdict items={found.items} />}
        <Listing
          label={words.permissions}
          found={foundRows(asked, found?.items)}
          columns={columns}
          rowId={(one) => `${one.group}/${one.resource} ${one.namespace}`}
          rowName={named}
          keys
          never={{ title: words.none, text: "" }}
        />
        {found?.manifest && !asked.error ? <Grant yaml={found.manifest} /> : null}
      </For>
    </Section>
  );
}

/** What the table comes to, in a sentence. */
function Verdict({ items }: { items: Permission[] }) {
  const missing = items.filter((one) => one.missing.length > 0);
  const needed = missing.filter((one) => !one.optional).length;
  const tone = needed > 0 ? "bad" : missing.length > 0 ? "warn" : "good";
  return (
    <p className={classes.verdict} role="status">
      <Word tone={tone}>{words.verdicts[tone]}</Word>{" "}
      {words.sentence(needed, missing.length - needed)}
    </p>
  );
}

function Grant({ yaml }: { yaml: string }) {
  return (
    <div className={classes.grant}>
      <h3 className={classes.subtitle}>{words.yaml}</h3>
      <p className={classes.lead}>{words.yamlLead}</p>
      <CodeBlock label={words.yaml} tall>
        {yaml}
      </CodeBlock>
    </div>
  );
}

/** As `kubectl auth can-i` takes it: `jobs.batch`. */
function named(one: Permission): string {
  return one.group === "" ? one.resource : `${one.resource}.${one.group}`;
}

function columnsOf(): Column<Permission>[] {
  return [
    {
      key: "resource",
      header: words.resource,
      card: "head",
      width: "34%",
      cell: (one) => (
        <span className={`${classes.two} ${classes.broken}`}>
          <span className={classes.name}>{named(one)}</span>
          <span className={classes.small}>{one.why}</span>
        </span>
      ),
    },
    {
      key: "namespace",
      header: words.namespace,
      width: "9rem",
      cell: (one) => one.namespace ?? <span className="sw-soft">{words.everywhere}</span>,
    },
    { key: "verbs", header: words.verbs, cell: (one) => <Verbs one={one} /> },
    {
      key: "state",
      header: words.state,
      width: "9rem",
      cell: (one) => <State one={one} />,
    },
  ];
}

function Verbs({ one }: { one: Permission }) {
  return (
    <ul className={classes.verbs}>
      {one.verbs.map((verb) => {
        const missing = one.missing.includes(verb);
        const Icon = missing ? IconX : IconCheck;
        return (
          <li key={verb} data-missing={missing || undefined}>
            <Icon size={12} stroke={2.2} aria-hidden="true" />
            {verb}
            <span className="sw-hidden">{missing ? words.isMissing : words.isGranted}</span>
          </li>
        );
      })}
    </ul>
  );
}

function State({ one }: { one: Permission }) {
  if (one.missing.length === 0) return <Word tone="good">{words.granted}</Word>;
  return (
    <span className="sw-row">
      <Word tone={one.optional ? "warn" : "bad"}>
        {one.optional ? words.missingOptional : words.missing}
      </Word>
      {one.manifest ? (
        <CopyButton value={one.manifest} label={words.yamlFor(named(one), one.namespace)} />
      ) : null}
    </span>
  );
}
