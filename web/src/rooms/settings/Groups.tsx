import { Switch } from "@mantine/core";
import { IconBox } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Column } from "@/components/DataTable";
import { Listing } from "@/components/Listing";
import { settings } from "@/strings/settings";
import { ChangeGroup, GroupAct, NewGroup } from "./GroupDialogs";
import { Act, Acts, Add, actsColumn, nameColumn, Section, Word } from "./Parts";
import { type Group, groupsQuery, usePages } from "./queries";
import classes from "./Settings.module.css";

const words = settings.groups;

type Open = { act: "new" } | { act: "change" | "discover" | "archive" | "restore"; group: Group };

export function Groups() {
  const { archived = false } = useSearch({ from: "/shell/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const [open, setOpen] = useState<Open | null>(null);
  const found = usePages(groupsQuery(archived));
  const columns = useMemo(() => columnsOf(setOpen), []);
  const close = () => setOpen(null);
  return (
    <Section
      alone
      title={settings.pages.groups}
      actions={
        <>
          <Switch
            size="xs"
            label={words.showArchived}
            checked={archived}
            onChange={(event) =>
              void navigate({
                search: { page: "groups", archived: event.currentTarget.checked || undefined },
                replace: true,
              })
            }
          />
          <Add needs="admin" main label={words.register} act={() => setOpen({ act: "new" })} />
        </>
      }
    >
      <Listing
        label={settings.pages.groups}
        found={found}
        columns={columns}
        rowId={(one) => one.name}
        quiet={(one) => one.archived_at !== null}
        keys
        never={{ title: words.none, text: words.noneText, icon: <IconBox size={28} /> }}
      />
      {open === null ? null : open.act === "new" ? (
        <NewGroup onClose={close} />
      ) : open.act === "change" ? (
        <ChangeGroup group={open.group} onClose={close} />
      ) : (
        <GroupAct act={open.act} group={open.group} onClose={close} />
      )}
    </Section>
  );
}

function columnsOf(onOpen: (open: Open) => void): Column<Group>[] {
  return [
    nameColumn((one) => (
      <div className={classes.two}>
        <span>
          <span className={classes.name}>{one.name}</span>{" "}
          {one.archived_at === null ? null : <Word>{words.archived}</Word>}
        </span>
        <code className={classes.small}>{one.image}</code>
      </div>
    )),
    { key: "launcher", header: words.launcher, width: "5.25rem", cell: (one) => one.launcher },
    {
      key: "release",
      header: words.release,
      width: "4.5rem",
      align: "end",
      cell: (one) =>
        one.release ?? (
          <Link to="/review" className="sw-nowrap">
            {words.review}
          </Link>
        ),
    },
    {
      key: "workflows",
      header: words.workflows,
      width: "5.5rem",
      align: "end",
      sort: (one) => one.workflows.length,
      cell: (one) => <span title={one.workflows.join(", ")}>{one.workflows.length}</span>,
    },
    {
      key: "gets",
      header: words.gets,
      width: "5.5rem",
      cell: (one) => (
        <span
          title={[...Object.keys(one.environment), ...Object.keys(one.secrets)].join(", ")}
          className="sw-soft"
        >
          {words.variables(Object.keys(one.environment).length, Object.keys(one.secrets).length)}
        </span>
      ),
    },
    {
      key: "review",
      header: words.review,
      width: "6rem",
      cell: (one) =>
        one.two_person == null ? (
          <span className="sw-soft">{words.default}</span>
        ) : one.two_person ? (
          words.two
        ) : (
          words.one
        ),
    },
    actsColumn("17.5rem", (one) =>
      one.archived_at === null ? (
        <Acts>
          <Act
            needs="operator"
            label={words.discover}
            name={one.name}
            onClick={() => onOpen({ act: "discover", group: one })}
          />
          <Act
            needs="admin"
            label={words.change}
            name={one.name}
            onClick={() => onOpen({ act: "change", group: one })}
          />
          <Act
            needs="admin"
            danger
            label={words.archive}
            name={one.name}
            onClick={() => onOpen({ act: "archive", group: one })}
          />
        </Acts>
      ) : (
        <Act
          needs="admin"
          label={words.restore}
          name={one.name}
          onClick={() => onOpen({ act: "restore", group: one })}
        />
      ),
    ),
  ];
}
