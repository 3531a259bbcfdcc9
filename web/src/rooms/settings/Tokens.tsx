import { MultiSelect, Select, Switch, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { ROLES, type Role } from "@/api/session";
import { quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import {
  Act,
  Add,
  actsColumn,
  because,
  For,
  nameColumn,
  Once,
  orNull,
  Section,
  type Shown,
  useDone,
  Word,
} from "./Parts";
import { groupNamesQuery, type Token, tokensQuery, usePages } from "./queries";
import classes from "./Settings.module.css";

const words = settings.tokens;
const DAY = 86_400_000;
const LENGTHS = [7, 30, 90, 365] as const;

export function Tokens() {
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const [made, setMade] = useState<Shown | null>(null);
  return (
    <Section
      alone
      title={settings.pages.tokens}
      actions={<Add needs="admin" main label={words.create} act={() => setMaking(true)} />}
    >
      <For needs="admin" part={settings.pages.tokens}>
        <TokenList onRevoke={setRevoking} />
      </For>
      {making ? <NewToken onClose={() => setMaking(false)} onMade={setMade} /> : null}
      {revoking ? <Revoke token={revoking} onClose={() => setRevoking(null)} /> : null}
      <Once shown={made} onClose={() => setMade(null)} />
    </Section>
  );
}

function TokenList({ onRevoke }: { onRevoke: (token: Token) => void }) {
  const found = usePages(tokensQuery);
  const columns = useMemo(() => columnsOf(onRevoke), [onRevoke]);
  return (
    <Listing
      label={settings.pages.tokens}
      found={found}
      columns={columns}
      rowId={(one) => one.id}
      rowName={(one) => one.name}
      quiet={(one) => stateOf(one) !== "good"}
      keys
      never={{ title: words.none, text: words.noneText, icon: <IconKey size={28} /> }}
    />
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (shown: Shown) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [groups, setGroups] = useState<string[]>([]);
  const [readOnly, setReadOnly] = useState(false);
  const [days, setDays] = useState("90");
  const known = useQuery(groupNamesQuery);
  const done = useDone("tokens");

  async function submit(reason: string) {
    const issued = await ok(
      api.POST("/api/v1/tokens", {
        body: {
          name: name.trim(),
          role,
          read_only: readOnly,
          groups: groups.length === 0 ? null : groups,
          expires_at: days === "" ? null : new Date(Date.now() + Number(days) * DAY).toISOString(),
          reason: orNull(reason),
        },
      }),
    );
    onMade({
      title: words.madeTitle(issued.name),
      label: settings.once.secret,
      secret: issued.secret,
      until: issued.expires_at,
    });
    await done();
  }

  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.createTitle}
      submit={words.submit}
      optional
      ready={name.trim() !== ""}
      cli={() =>
        [
          `stepwell tokens create ${quoted(name.trim() || "NAME")} --role ${role}`,
          ...groups.map((one) => `--group ${quoted(one)}`),
          ...(readOnly ? ["--read-only"] : []),
          ...(days === "" ? [] : [`--days ${days}`]),
        ].join(" ")
      }
      onSubmit={submit}
    >
      <TextInput
        label={settings.name}
        description={words.nameHint}
        value={name}
        maxLength={100}
        autoComplete="off"
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <div className={classes.pair}>
        <Select
          label={settings.role}
          allowDeselect={false}
          data={ROLES.map((value) => ({ value, label: settings.roles[value] }))}
          value={role}
          onChange={(next) => setRole((next ?? "viewer") as Role)}
        />
        <Select
          label={words.expires}
          allowDeselect={false}
          data={[
            ...LENGTHS.map((one) => ({ value: String(one), label: words.days(one) })),
            { value: "", label: settings.never },
          ]}
          value={days}
          onChange={(next) => setDays(next ?? "")}
        />
      </div>
      <MultiSelect
        label={words.groups}
        description={words.groupsHint}
        searchable
        data={(known.data?.items ?? []).map((one) => one.name)}
        value={groups}
        onChange={setGroups}
      />
      <Switch
        label={words.readOnly}
        checked={readOnly}
        onChange={(event) => setReadOnly(event.currentTarget.checked)}
      />
    </ReasonDialog>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const done = useDone("tokens");
  return (
    <ReasonDialog
      opened
      danger
      optional
      onClose={onClose}
      title={words.revokeTitle(token.name)}
      submit={words.revoke}
      cli={(reason) => `stepwell tokens revoke ${quoted(token.name)}${because(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/tokens/{token_id}/revocations", {
            params: { path: { token_id: token.id } },
            body: { reason: orNull(reason) },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>{words.revokeLead}</p>
    </ReasonDialog>
  );
}

function stateOf(one: Token): "good" | "revoked" | "expired" {
  if (one.revoked_at !== null) return "revoked";
  return one.expires_at !== null && Date.parse(one.expires_at) < Date.now() ? "expired" : "good";
}

function columnsOf(onRevoke: (token: Token) => void): Column<Token>[] {
  return [
    nameColumn((one) => <span className={classes.name}>{one.name}</span>),
    { key: "role", header: settings.role, width: "6rem", cell: (one) => one.role },
    {
      key: "scope",
      header: words.scope,
      cell: (one) => (
        <span className="sw-truncate">
          {one.groups === null ? words.everywhere : one.groups.join(", ")}
          {one.read_only ? <span className="sw-soft">, {words.reading}</span> : null}
        </span>
      ),
    },
    {
      key: "state",
      header: words.state,
      width: "5.5rem",
      cell: (one) => {
        const state = stateOf(one);
        return <Word tone={state === "good" ? "good" : "plain"}>{words[state]}</Word>;
      },
    },
    {
      key: "expires",
      header: words.expires,
      width: "7.5rem",
      sort: (one) => one.expires_at,
      cell: (one) =>
        one.expires_at === null ? settings.never : <Instant at={one.expires_at} as="ago" />,
    },
    {
      key: "used",
      header: words.used,
      width: "7.5rem",
      sort: (one) => one.last_used_at,
      cell: (one) =>
        one.last_used_at === null ? settings.never : <Instant at={one.last_used_at} as="ago" />,
    },
    {
      key: "made",
      header: words.created,
      width: "9rem",
      sort: (one) => one.created_at,
      cell: (one) => (
        <div className={classes.two}>
          <Instant at={one.created_at} as="ago" />
          <span className={classes.small}>{one.created_by}</span>
        </div>
      ),
    },
    actsColumn("6rem", (one) =>
      stateOf(one) === "good" ? (
        <Act
          needs="admin"
          danger
          label={words.revoke}
          name={one.name}
          onClick={() => onRevoke(one)}
        />
      ) : null,
    ),
  ];
}
