/** Saved views: those built in, one's own, and those that others share. */

import { ActionIcon, Button, Menu, Switch, TextInput } from "@mantine/core";
import { IconBookmarkPlus, IconDots, IconStarFilled, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, ok } from "@/api/client";
import { useMe } from "@/api/session";
import { Dialog } from "@/components/Dialog";
import { cx } from "@/lib/cx";
import { common } from "@/strings/common";
import { runs as words } from "@/strings/runs";
import { type View, viewsQuery } from "./queries";
import classes from "./ViewsBar.module.css";

interface Props {
  q: string;
  view: string | undefined;
  columns: string[] | undefined;
}

const ALL = "all";
const keyOf = (view: View): string => view.id ?? view.builtin ?? view.name;

export function ViewsBar({ q, view, columns }: Props) {
  const { data } = useQuery(viewsQuery);
  const views = data?.items ?? [];
  const [saving, setSaving] = useState(false);
  useDefault(views, q, view);
  const current = views.find((one) => keyOf(one) === view);
  const same =
    current === undefined ||
    (current.query === q && current.columns.join() === (columns ?? []).join());
  return (
    <nav className={classes.bar} aria-label={words.views}>
      <Link
        to="/runs"
        search={{ view: ALL }}
        className={cx(classes.tab, current === undefined && q === "" && classes.on)}
      >
        {words.all}
      </Link>
      {views.map((one) => (
        <Link
          key={keyOf(one)}
          to="/runs"
          search={{
            q: one.query || undefined,
            view: keyOf(one),
            columns: one.columns.length > 0 ? one.columns : undefined,
          }}
          className={cx(classes.tab, one === current && classes.on)}
          title={one.owner ? `${one.query} · ${words.viewBy(one.owner)}` : one.query}
        >
          {one.default ? <IconStarFilled size={11} aria-hidden="true" /> : null}
          {one.name}
          {one.shared && one.id ? <IconUsers size={12} aria-hidden="true" /> : null}
          {one === current && !same ? <span className="sw-soft">, {words.changed}</span> : null}
        </Link>
      ))}
      {current ? <ViewMenu view={current} same={same} q={q} columns={columns} /> : null}
      {q !== "" && (current === undefined || !same) ? (
        <Button
          variant="subtle"
          leftSection={<IconBookmarkPlus size={15} />}
          onClick={() => setSaving(true)}
        >
          {words.saveView}
        </Button>
      ) : null}
      <SaveDialog opened={saving} onClose={() => setSaving(false)} q={q} columns={columns} />
    </nav>
  );
}

/** Without a query in the address, the person's own first view is shown. */
function useDefault(views: View[], q: string, view: string | undefined): void {
  const navigate = useNavigate({ from: "/runs" });
  const looked = useRef(false);
  useEffect(() => {
    if (looked.current || views.length === 0) return;
    looked.current = true;
    const first = views.find((one) => one.default);
    if (first === undefined || q !== "" || view !== undefined) return;
    void navigate({
      replace: true,
      search: {
        q: first.query || undefined,
        view: keyOf(first),
        columns: first.columns.length > 0 ? first.columns : undefined,
      },
    });
  }, [views, q, view, navigate]);
}

function useViewChange<T>(act: (given: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => client.invalidateQueries({ queryKey: ["views", "runs"] }),
  });
}

function ViewMenu({
  view,
  same,
  q,
  columns,
}: {
  view: View;
  same: boolean;
  q: string;
  columns: string[] | undefined;
}) {
  const me = useMe();
  const navigate = useNavigate({ from: "/runs" });
  const own = view.id !== null && (view.owner === me.name || me.role === "admin");
  const first = useViewChange((on: boolean) =>
    ok(
      api.PUT("/api/v1/views/default", {
        body: {
          screen: "runs",
          view_id: on ? view.id : null,
          builtin: on ? view.builtin : null,
        },
      }),
    ),
  );
  const path = { view_id: view.id ?? "" };
  const save = useViewChange(() =>
    ok(
      api.PATCH("/api/v1/views/{view_id}", {
        params: { path },
        body: { query: q, columns: columns ?? [] },
      }),
    ),
  );
  const remove = useViewChange(async () => {
    await ok(api.DELETE("/api/v1/views/{view_id}", { params: { path } }));
    await navigate({ search: { view: ALL }, replace: true });
  });
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`${words.views}: ${view.name}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => first.mutate(!view.default)}>
          {view.default ? words.viewNoDefault : words.viewDefault}
        </Menu.Item>
        {own && !same ? (
          <Menu.Item onClick={() => save.mutate(undefined)}>{words.saveChanges}</Menu.Item>
        ) : null}
        {own ? (
          <Menu.Item color="red" onClick={() => remove.mutate(undefined)}>
            {words.viewRemove}
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

function SaveDialog({
  opened,
  onClose,
  q,
  columns,
}: {
  opened: boolean;
  onClose: () => void;
  q: string;
  columns: string[] | undefined;
}) {
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const navigate = useNavigate({ from: "/runs" });
  const save = useViewChange(async () => {
    const body = { screen: "runs", name: name.trim(), query: q, columns: columns ?? [], shared };
    const made = await ok(api.POST("/api/v1/views", { body }));
    onClose();
    setName("");
    await navigate({ search: (old) => ({ ...old, view: keyOf(made) }), replace: true });
  });
  return (
    <Dialog opened={opened} onClose={onClose} title={words.saveView} size="sm">
      <form
        className="sw-stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(undefined);
        }}
      >
        <TextInput
          label={words.viewName}
          description={words.viewKeeps(q)}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={save.error?.message}
          maxLength={100}
          required
          withAsterisk={false}
          data-autofocus
        />
        <Switch
          label={words.viewShared}
          checked={shared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        <div className="sw-row">
          <span className="sw-grow" />
          <Button variant="default" onClick={onClose}>
            {common.close}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {words.saveView}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
