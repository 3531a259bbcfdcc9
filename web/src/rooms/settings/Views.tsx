import { notifications } from "@mantine/notifications";
import { IconBookmark } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { useMe } from "@/api/session";
import type { Column } from "@/components/DataTable";
import { Listing } from "@/components/Listing";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import { Act, Acts, actsColumn, nameColumn, Section, useDone, Word } from "./Parts";
import { useWhole, type View, viewsQuery } from "./queries";
import classes from "./Settings.module.css";

const words = settings.views;

export function Views() {
  const me = useMe();
  const found = useWhole(viewsQuery);
  const [removing, setRemoving] = useState<View | null>(null);
  const done = useDone("views");
  const act = useCallback(
    async (call: Promise<unknown>) => {
      try {
        await call;
        await done();
      } catch (error) {
        const problem = asApiError(error);
        notifications.show({ color: "red", title: problem.what, message: problem.fix });
      }
    },
    [done],
  );
  const columns = useMemo(
    () => columnsOf(me.name, me.role === "admin", (call) => void act(call), setRemoving),
    [me.name, me.role, act],
  );
  return (
    <Section alone title={settings.pages.views}>
      <Listing
        label={settings.pages.views}
        found={found}
        columns={columns}
        rowId={keyOf}
        keys
        never={{ title: words.none, text: words.noneText, icon: <IconBookmark size={28} /> }}
      />
      {removing ? <Remove view={removing} onClose={() => setRemoving(null)} /> : null}
    </Section>
  );
}

function keyOf(one: View): string {
  return one.id ?? one.builtin ?? one.name;
}

function Remove({ view, onClose }: { view: View; onClose: () => void }) {
  const done = useDone("views");
  return (
    <ReasonDialog
      opened
      danger
      optional
      onClose={onClose}
      title={words.removeTitle(view.name)}
      submit={words.remove}
      cli={() => `stepwell views remove ${keyOf(view)}`}
      onSubmit={async () => {
        const path = { view_id: view.id ?? "" };
        await ok(api.DELETE("/api/v1/views/{view_id}", { params: { path } }));
        await done();
      }}
    >
      <p className={classes.lead}>{words.removeLead}</p>
    </ReasonDialog>
  );
}

function columnsOf(
  name: string,
  admin: boolean,
  act: (call: Promise<unknown>) => void,
  onRemove: (view: View) => void,
): Column<View>[] {
  const blocked = (one: View) => (admin || one.owner === name ? null : words.notYours);
  return [
    nameColumn((one) => (
      <span>
        <Link
          to="/runs"
          search={{
            q: one.query || undefined,
            view: keyOf(one),
            columns: one.columns.length > 0 ? one.columns : undefined,
          }}
          className={classes.name}
        >
          {one.name}
        </Link>{" "}
        {one.default ? <Word tone="good">{words.first}</Word> : null}
      </span>
    )),
    {
      key: "query",
      header: words.query,
      width: "36%",
      card: "sentence",
      cell: (one) => <code>{one.query}</code>,
    },
    {
      key: "owner",
      header: words.owner,
      width: "11rem",
      cell: (one) => (
        <span className="sw-soft">
          {one.builtin === null
            ? `${one.owner}, ${one.shared ? words.shared : words.own}`
            : words.builtin}
        </span>
      ),
    },
    actsColumn("16rem", (one) => (
      <Acts>
        {one.default ? null : (
          <Act
            needs="viewer"
            label={words.choose}
            name={one.name}
            onClick={() =>
              act(
                ok(
                  api.PUT("/api/v1/views/default", {
                    body: { screen: one.screen, view_id: one.id, builtin: one.builtin },
                  }),
                ),
              )
            }
          />
        )}
        {one.id === null ? null : (
          <>
            <Act
              needs="viewer"
              blocked={blocked(one)}
              label={one.shared ? words.unshare : words.share}
              name={one.name}
              onClick={() =>
                act(
                  ok(
                    api.PATCH("/api/v1/views/{view_id}", {
                      params: { path: { view_id: one.id ?? "" } },
                      body: { shared: !one.shared },
                    }),
                  ),
                )
              }
            />
            <Act
              needs="viewer"
              danger
              blocked={blocked(one)}
              label={words.remove}
              name={one.name}
              onClick={() => onRemove(one)}
            />
          </>
        )}
      </Acts>
    )),
  ];
}
