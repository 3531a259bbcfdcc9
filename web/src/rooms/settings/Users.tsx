import { Select, TextInput } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { ROLES, type Role, useMe } from "@/api/session";
import { quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import {
  Act,
  Acts,
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
import { type Account, usePages, usersQuery } from "./queries";
import classes from "./Settings.module.css";

const words = settings.users;

type Change = "role" | "disable" | "enable" | "link";
type Open = { act: Change; user: Account } | null;

export function Users() {
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<Open>(null);
  const [made, setMade] = useState<Shown | null>(null);
  const close = () => setOpen(null);
  return (
    <Section
      alone
      title={settings.pages.users}
      actions={<Add needs="admin" main label={words.create} act={() => setMaking(true)} />}
    >
      <For needs="admin" part={settings.pages.users}>
        <UserList onAct={setOpen} />
      </For>
      {making ? <NewUser onClose={() => setMaking(false)} onMade={setMade} /> : null}
      {open === null ? null : open.act === "role" ? (
        <RoleDialog user={open.user} onClose={close} />
      ) : open.act === "link" ? (
        <LinkDialog user={open.user} onClose={close} onMade={setMade} />
      ) : (
        <AbleDialog user={open.user} disable={open.act === "disable"} onClose={close} />
      )}
      <Once shown={made} onClose={() => setMade(null)} />
    </Section>
  );
}

function UserList({ onAct }: { onAct: (open: Open) => void }) {
  const found = usePages(usersQuery);
  const me = useMe();
  const columns = useMemo(() => columnsOf(onAct, me.user_id), [onAct, me.user_id]);
  return (
    <Listing
      label={settings.pages.users}
      found={found}
      columns={columns}
      rowId={(one) => one.id}
      rowName={(one) => one.name}
      quiet={(one) => one.disabled_at !== null}
      keys
      never={{ title: words.none, text: words.noneText, icon: <IconUsers size={28} /> }}
    />
  );
}

interface MadeProps {
  onClose: () => void;
  onMade: (shown: Shown) => void;
}

function NewUser({ onClose, onMade }: MadeProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [email, setEmail] = useState("");
  const [subject, setSubject] = useState("");
  const done = useDone("users");

  async function submit(reason: string) {
    const { link, name: called } = await ok(
      api.POST("/api/v1/users", {
        body: {
          name: name.trim(),
          role,
          email: orNull(email),
          subject: orNull(subject),
          reason: orNull(reason),
        },
      }),
    );
    if (link !== null) onMade(shownLink(called, link));
    await done();
  }

  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.create}
      submit={words.submit}
      ready={name.trim() !== ""}
      cli={(reason) =>
        `stepwell users create ${quoted(name.trim() || "NAME")} --role ${role}${email.trim() === "" ? "" : ` --email ${quoted(email.trim())}`}${subject.trim() === "" ? "" : ` --subject ${quoted(subject.trim())}`}${because(reason)}`
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
      <RoleSelect value={role} onChange={setRole} />
      <div className={classes.pair}>
        <TextInput
          label={words.email}
          type="email"
          value={email}
          autoComplete="off"
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <TextInput
          label={words.subject}
          description={words.subjectHint}
          value={subject}
          autoComplete="off"
          onChange={(event) => setSubject(event.currentTarget.value)}
        />
      </div>
    </ReasonDialog>
  );
}

function RoleSelect({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Select
      label={settings.role}
      allowDeselect={false}
      data={ROLES.map((one) => ({ value: one, label: settings.roles[one] }))}
      value={value}
      onChange={(next) => onChange((next ?? value) as Role)}
    />
  );
}

interface DialogProps {
  user: Account;
  onClose: () => void;
}

function useChange(user: Account) {
  const done = useDone("users");
  return async (body: { role?: Role; disabled?: boolean; reason: string | null }) => {
    await ok(
      api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: user.id } }, body }),
    );
    await done();
  };
}

function RoleDialog({ user, onClose }: DialogProps) {
  const [role, setRole] = useState(user.role);
  const change = useChange(user);
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.changeTitle(user.name)}
      submit={words.changeSubmit}
      ready={role !== user.role}
      cli={(reason) =>
        `stepwell users change ${quoted(user.name)} --role ${role}${because(reason)}`
      }
      onSubmit={(reason) => change({ role, reason: orNull(reason) })}
    >
      <RoleSelect value={role} onChange={setRole} />
    </ReasonDialog>
  );
}

function AbleDialog({ user, disable, onClose }: DialogProps & { disable: boolean }) {
  const change = useChange(user);
  return (
    <ReasonDialog
      opened
      optional
      danger={disable}
      onClose={onClose}
      title={disable ? words.disableTitle(user.name) : words.enableTitle(user.name)}
      submit={disable ? words.disable : words.enable}
      cli={(reason) =>
        `stepwell users ${disable ? "disable" : "enable"} ${quoted(user.name)}${because(reason)}`
      }
      onSubmit={(reason) => change({ disabled: disable, reason: orNull(reason) })}
    >
      {disable ? <p className={classes.lead}>{words.disableLead}</p> : null}
    </ReasonDialog>
  );
}

function LinkDialog({ user, onClose, onMade }: DialogProps & MadeProps) {
  const done = useDone("users");
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.linkTitle(user.name)}
      submit={words.linkSubmit}
      cli={(reason) => `stepwell users link ${quoted(user.name)}${because(reason)}`}
      onSubmit={async (reason) => {
        const link = await ok(
          api.POST("/api/v1/users/{user_id}/links", {
            params: { path: { user_id: user.id } },
            body: { reason: orNull(reason) },
          }),
        );
        onMade(shownLink(user.name, link));
        await done();
      }}
    >
      <p className={classes.lead}>{words.linkLead}</p>
    </ReasonDialog>
  );
}

function shownLink(name: string, link: { url: string; expires_at: string }): Shown {
  return {
    title: words.madeTitle(name),
    label: settings.once.link,
    secret: link.url,
    until: link.expires_at,
  };
}

function columnsOf(onAct: (open: Open) => void, own: string | null): Column<Account>[] {
  return [
    nameColumn((one) => (
      <div className={classes.two}>
        <span className={classes.name}>
          {one.name} {one.id === own ? <Word>{words.you}</Word> : null}
        </span>
        {one.email ? <span className={classes.small}>{one.email}</span> : null}
      </div>
    )),
    {
      key: "role",
      header: settings.role,
      width: "6.5rem",
      sort: (one) => ROLES.indexOf(one.role),
      cell: (one) => one.role,
    },
    {
      key: "login",
      header: words.login,
      width: "9rem",
      cell: (one) => words.logins[one.login] ?? one.login,
    },
    {
      key: "state",
      header: words.state,
      width: "6rem",
      cell: (one) =>
        one.disabled_at === null ? (
          <Word tone="good">{words.active}</Word>
        ) : (
          <Word>{words.disabled}</Word>
        ),
    },
    {
      key: "last",
      header: words.last,
      width: "8rem",
      sort: (one) => one.last_login_at,
      cell: (one) =>
        one.last_login_at === null ? settings.never : <Instant at={one.last_login_at} as="ago" />,
    },
    actsColumn("15.5rem", (one) => (
      <Acts>
        <Act
          needs="admin"
          label={words.change}
          name={one.name}
          onClick={() => onAct({ act: "role", user: one })}
        />
        <Act
          needs="admin"
          label={words.link}
          name={one.name}
          onClick={() => onAct({ act: "link", user: one })}
        />
        {one.disabled_at === null ? (
          <Act
            needs="admin"
            danger
            label={words.disable}
            name={one.name}
            onClick={() => onAct({ act: "disable", user: one })}
          />
        ) : (
          <Act
            needs="admin"
            label={words.enable}
            name={one.name}
            onClick={() => onAct({ act: "enable", user: one })}
          />
        )}
      </Acts>
    )),
  ];
}
