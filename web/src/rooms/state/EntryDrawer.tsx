import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CopyAs, quoted } from "@/components/CopyAs";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { exactText } from "@/lib/exact";
import { writeSearch } from "@/lib/search";
import { state as words } from "@/strings/state";
import { DeleteDialog, EditDialog, RestoreDialog } from "./Dialogs";
import {
  changesQuery,
  type Entry,
  entryQuery,
  historyQuery,
  type Place,
  readersQuery,
} from "./queries";
import classes from "./State.module.css";
import { inWords } from "./scopes";
import { writerOf } from "./writer";

interface Props {
  place: Place;
  /** The version that is shown; without one it is the current. */
  version: number | undefined;
  onVersion: (version: number | undefined) => void;
  onClose: () => void;
}

/** One key: its value, its versions and what each changed, and who reads it. */
export function EntryDrawer({ place, version, onVersion, onClose }: Props) {
  const current = useQuery(entryQuery(place));
  const history = useQuery(historyQuery(place));
  const [dialog, setDialog] = useState<"edit" | "delete" | Entry | null>(null);
  const versions = history.data?.items ?? [];
  const newest = versions.at(0) ?? current.data;
  const shown =
    (version === undefined ? undefined : versions.find((one) => one.version === version)) ?? newest;
  const close = () => setDialog(null);
  const cli = `stepwell state get ${quoted(place.group)} ${quoted(place.scope)} ${quoted(place.key)}`;
  const path = `/state/${place.group}/entry${writeSearch({ scope: place.scope, key: place.key })}`;
  return (
    <SideDrawer
      opened
      onClose={onClose}
      title={<code>{place.key}</code>}
      actions={<CopyAs compact call={{ cli, path }} />}
    >
      <p className={classes.where}>
        {place.group} · {inWords(place.scope)}
      </p>
      {newest === undefined ? (
        current.error ? (
          <ErrorFace error={current.error} onRetry={() => void current.refetch()} />
        ) : (
          <SkeletonRows rows={5} />
        )
      ) : (
        <>
          {shown === undefined ? null : <Version one={shown} newest={newest} />}
          <div className="sw-row">
            <RoleGate needs="operator">
              <Button variant="default" onClick={() => setDialog("edit")}>
                {words.edit}
              </Button>
            </RoleGate>
            <RoleGate needs="operator">
              <Button variant="default" color="red" onClick={() => setDialog("delete")}>
                {words.remove}
              </Button>
            </RoleGate>
          </div>
          <History
            place={place}
            versions={versions}
            shown={shown?.version}
            onShow={(one) => onVersion(one.version === newest.version ? undefined : one.version)}
            onRestore={setDialog}
          />
          <Readers place={place} />
          {dialog === "edit" ? (
            <EditDialog place={place} entry={newest} onClose={close} />
          ) : dialog === "delete" ? (
            <DeleteDialog place={place} entry={newest} onClose={close} />
          ) : dialog === null ? null : (
            <RestoreDialog place={place} entry={newest} to={dialog} onClose={close} />
          )}
        </>
      )}
    </SideDrawer>
  );
}

function Version({ one, newest }: { one: Entry; newest: Entry }) {
  return (
    <section className={classes.version}>
      <header className="sw-row sw-wrap">
        <strong>{words.versionOf(one.version)}</strong>
        {one.version === newest.version ? <Badge size="sm">{words.current}</Badge> : null}
        <span className="sw-soft">
          {one.run_id === null ? (
            one.written_by
          ) : (
            <Link
              to="/runs/$runId"
              params={{ runId: one.run_id }}
              search={one.step_id === null ? {} : { step: one.step_id }}
            >
              {writerOf(one)}
            </Link>
          )}{" "}
          · <Instant at={one.written_at} />
        </span>
        {one.expires_at === null ? null : (
          <span className="sw-soft">
            {words.columns.expires} <Instant at={one.expires_at} as="ago" />
          </span>
        )}
      </header>
      {one.deleted ? (
        <p className="sw-soft">{words.deleted}</p>
      ) : (
        <JsonView value={one.value} label={words.columns.value} open={3} />
      )}
    </section>
  );
}

interface HistoryProps {
  place: Place;
  versions: readonly Entry[];
  shown: number | undefined;
  onShow: (one: Entry) => void;
  onRestore: (one: Entry) => void;
}

function History({ place, versions, shown, onShow, onRestore }: HistoryProps) {
  return (
    <section className={classes.part}>
      <h3>{words.history}</h3>
      <ol className={classes.history}>
        {versions.map((one, at) => (
          <li key={one.version} data-shown={one.version === shown || undefined}>
            <button type="button" className={classes.pick} onClick={() => onShow(one)}>
              <span>{words.versionOf(one.version)}</span>
              <span className="sw-soft">
                {one.deleted ? `${words.deleted} · ` : ""}
                {writerOf(one)} · <Instant at={one.written_at} as="ago" />
              </span>
            </button>
            {at === 0 || one.deleted ? null : (
              <RoleGate needs="operator">
                <Button variant="subtle" onClick={() => onRestore(one)}>
                  {words.restore}
                </Button>
              </RoleGate>
            )}
            {one.version === shown && versions[at + 1] !== undefined ? (
              <Changes place={place} one={one} before={versions[at + 1] as Entry} />
            ) : null}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Changes({ place, one, before }: { place: Place; one: Entry; before: Entry }) {
  const found = useQuery(changesQuery(place, one.version, before.version));
  if (found.data === undefined) return null;
  if (found.data.changes.length === 0) return <p className="sw-soft">{words.same}</p>;
  return (
    <ul className={classes.changes} aria-label={words.changed(one.version, before.version)}>
      {found.data.changes.slice(0, 40).map((each) => (
        <li key={each.path} data-kind={each.kind}>
          <code>{each.path || "/"}</code>
          {each.kind === "added" ? null : <del>{exactText(each.before)}</del>}
          {each.kind === "removed" ? null : <ins>{exactText(each.after)}</ins>}
        </li>
      ))}
    </ul>
  );
}

function Readers({ place }: { place: Place }) {
  const found = useQuery(readersQuery(place));
  const rows = found.data ?? [];
  return (
    <section className={classes.part}>
      <h3>{words.readers}</h3>
      {rows.length === 0 ? (
        <p className="sw-soft">{words.noReaders}</p>
      ) : (
        <ul className={classes.readers}>
          {rows.map((one) => (
            <li key={`${one.reader} ${one.run_id}`}>
              <Link to="/runs/$runId" params={{ runId: one.run_id }}>
                {one.reader}
              </Link>{" "}
              <Instant at={one.read_at} as="ago" />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
