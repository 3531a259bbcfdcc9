import { Alert, Button, JsonInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { JsonView } from "@/components/JsonView";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { exactText, parsedExact } from "@/lib/exact";
import { state as words } from "@/strings/state";
import { type Entry, edit, entryQuery, type Place, restore } from "./queries";
import classes from "./State.module.css";

interface Props {
  place: Place;
  /** As it was when the dialog was opened: what is expected to be there. */
  entry: Entry;
  onClose: () => void;
}

/** A new value, written only where nobody else was faster; else theirs is shown first. */
export function EditDialog({ place, entry, onClose }: Props) {
  const [text, setText] = useState(() => exactText(entry.value, 2));
  const [ttl, setTtl] = useState<string | number>("");
  const { expected, theirs, guard, take, overwrite } = useExpected(place, entry);
  const value = parsedExact(text);
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.editTitle(place.key)}
      submit={words.save}
      ready={value !== undefined && theirs === null}
      cli={(reason) =>
        `stepwell state set ${where(place)} ${quoted(text.replaceAll(/\s*\n\s*/g, " "))} --reason ${quoted(reason || "…")}`
      }
      onSubmit={(reason) =>
        guard(() =>
          edit(place, {
            delete: false,
            expect_version: expected,
            reason,
            value: value?.value,
            ttl: ttl === "" ? null : Number(ttl),
          }),
        )
      }
    >
      {theirs === null ? null : (
        <Conflict
          theirs={theirs}
          onTake={() => {
            setText(exactText(theirs.value, 2));
            take();
          }}
          onOverwrite={overwrite}
        />
      )}
      <JsonInput
        label={words.value}
        autosize
        minRows={4}
        maxRows={18}
        value={text}
        error={value === undefined ? words.noJson : undefined}
        onChange={setText}
      />
      <NumberField
        label={words.ttl}
        description={words.ttlMore}
        value={ttl}
        min={1}
        optional
        onChange={setTtl}
      />
    </ReasonDialog>
  );
}

export function DeleteDialog({ place, entry, onClose }: Props) {
  const { expected, theirs, guard, take, overwrite } = useExpected(place, entry);
  return (
    <ReasonDialog
      opened
      danger
      onClose={onClose}
      title={words.deleteTitle(place.key)}
      submit={words.remove}
      ready={theirs === null}
      cli={(reason) => `stepwell state delete ${where(place)} --reason ${quoted(reason || "…")}`}
      onSubmit={(reason) =>
        guard(() => edit(place, { delete: true, expect_version: expected, reason }))
      }
    >
      {theirs === null ? null : <Conflict theirs={theirs} onTake={take} onOverwrite={overwrite} />}
    </ReasonDialog>
  );
}

export function RestoreDialog({ place, entry, to, onClose }: Props & { to: Entry }) {
  const { expected, theirs, guard, take, overwrite } = useExpected(place, entry);
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.restoreTitle(place.key, to.version)}
      submit={words.restore}
      ready={theirs === null}
      cli={(reason) =>
        `stepwell state restore ${where(place)} ${to.version} --reason ${quoted(reason || "…")}`
      }
      onSubmit={(reason) =>
        guard(() => restore(place, { version: to.version, expect_version: expected, reason }))
      }
    >
      {theirs === null ? (
        <JsonView value={to.value} label={words.columns.value} />
      ) : (
        <Conflict theirs={theirs} onTake={take} onOverwrite={overwrite} />
      )}
    </ReasonDialog>
  );
}

/** Compare-and-set: what somebody else wrote meanwhile is shown before it is overwritten. */
function useExpected(place: Place, entry: Entry) {
  const cache = useQueryClient();
  const [expected, setExpected] = useState(expectedOf(entry));
  const [theirs, setTheirs] = useState<Entry | null>(null);

  /** Whether it was done. */
  async function guard(act: () => Promise<Entry>): Promise<boolean> {
    try {
      const written = await act();
      notifications.show({ message: words.saved(written.version) });
      await cache.invalidateQueries({ queryKey: ["state"] });
      return true;
    } catch (error) {
      if (asApiError(error).code !== "state-changed") throw error;
      const asked = entryQuery(place);
      await cache.cancelQueries({ queryKey: asked.queryKey }); // may have left before their write
      setTheirs(await cache.fetchQuery({ ...asked, staleTime: 0 }));
      return false;
    }
  }

  const accept = () => {
    if (theirs !== null) setExpected(expectedOf(theirs));
    setTheirs(null);
  };
  return { expected, theirs, guard, take: accept, overwrite: accept };
}

/** 0 where nothing is there any more: deleted or expired. */
function expectedOf(entry: Entry): number {
  return entry.exists ? entry.version : 0;
}

interface ConflictProps {
  theirs: Entry;
  onTake: () => void;
  onOverwrite: () => void;
}

function Conflict({ theirs, onTake, onOverwrite }: ConflictProps) {
  return (
    <Alert
      color="sand"
      classNames={{ title: classes.conflict }}
      title={words.conflict(theirs.version, theirs.written_by)}
    >
      <p className={classes.theirs}>{words.conflictMore(theirs.deleted)}</p>
      {theirs.deleted ? null : <JsonView value={theirs.value} label={words.theirs} />}
      <div className={classes.choice}>
        {theirs.deleted ? null : (
          <Button variant="default" onClick={onTake}>
            {words.reload}
          </Button>
        )}
        <Button variant="default" color="red" onClick={onOverwrite}>
          {words.overwrite}
        </Button>
      </div>
    </Alert>
  );
}

function where({ group, scope, key }: Place): string {
  return `${quoted(group)} ${quoted(scope)} ${quoted(key)}`;
}
