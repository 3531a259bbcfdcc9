/** Change when a schedule is due, or with what; a new one beside the source's. */

import { Select, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { Dialog } from "@/components/Dialog";
import { announce } from "@/lib/announce";
import { exactText } from "@/lib/exact";
import { schedules as words } from "@/strings/schedules";
import classes from "./Dialogs.module.css";
import { groupsQuery, placeOf, type Schedule } from "./queries";
import { type Draft, optionsOf, parametersOf, ScheduleForm } from "./ScheduleForm";
import { FRESH, formOf, specOf } from "./spec";
import { ownZone } from "./zones";

export function EditSchedule({ schedule, onDone }: { schedule: Schedule; onDone: () => void }) {
  const client = useQueryClient();
  const declared = schedule.origin === "source" || schedule.origin === "overridden";
  const initial: Draft = {
    form: formOf(schedule.spec),
    parameters:
      Object.keys(schedule.parameters).length === 0 ? "" : exactText(schedule.parameters, 2),
    lateAfter: schedule.late_after,
    tooLong: schedule.too_long_after,
  };
  return (
    <ScheduleForm
      initial={initial}
      of={{ schedule_id: schedule.id }}
      reasoned={declared}
      note={declared ? words.form.overrides : undefined}
      cli={(draft, reason) =>
        [`stepwell schedules change ${placeOf(schedule)}`, ...optionsOf(draft)]
          .concat(`--reason ${quoted(reason)}`)
          .join(" ")
      }
      onCancel={onDone}
      onSave={async (draft, reason) => {
        await ok(
          api.PATCH("/api/v1/schedules/{schedule_id}", {
            params: { path: { schedule_id: schedule.id } },
            body: {
              spec: specOf(draft.form),
              parameters: parametersOf(draft.parameters) ?? {},
              late_after: draft.lateAfter,
              too_long_after: draft.tooLong,
              reason: reason || null,
            },
          }),
        );
        announce(words.form.saved);
        void client.invalidateQueries({ queryKey: ["schedules"] });
        onDone();
      }}
    />
  );
}

interface AddProps {
  /** A cron expression to begin with; null: it is not open. */
  expression: string | null;
  workflow: string | undefined;
  quiet: readonly string[];
  onClose: () => void;
}

export function AddSchedule({ expression, workflow, quiet, onClose }: AddProps) {
  return (
    <Dialog opened={expression !== null} onClose={onClose} title={words.form.addTitle} size="lg">
      {expression === null ? null : (
        <Add expression={expression} workflow={workflow} quiet={quiet} onClose={onClose} />
      )}
    </Dialog>
  );
}

const NAME = /^[a-z][a-z0-9-]{0,99}$/;

function Add(props: AddProps & { expression: string }) {
  const client = useQueryClient();
  const navigate = useNavigate({ from: "/schedules" });
  const groups = useQuery(groupsQuery);
  const [place, setPlace] = useState<string | null>(props.workflow ?? null);
  const [name, setName] = useState("extra");
  const workflows = (groups.data?.items ?? []).flatMap((group) =>
    group.workflows.map((one) => `${group.name}/${one}`),
  );
  const [group = "", workflow = ""] = (place ?? "").split("/");
  const initial: Draft = {
    form: { ...FRESH, expression: props.expression, timezone: ownZone() },
    parameters: "",
    lateAfter: null,
    tooLong: null,
  };
  return (
    <ScheduleForm
      initial={initial}
      of={place === null ? {} : { group, workflow, name: NAME.test(name) ? name : undefined }}
      reasoned={false}
      ready={place !== null && NAME.test(name)}
      quiet={props.quiet}
      before={
        <div className={classes.fields}>
          <Select
            label={words.form.workflow}
            description={
              groups.isSuccess && workflows.length === 0
                ? words.form.noWorkflows
                : words.form.workflowHint
            }
            inputWrapperOrder={["label", "input", "description"]}
            searchable
            openOnFocus={false}
            required
            data={workflows}
            value={place}
            onChange={setPlace}
          />
          <TextInput
            label={words.form.name}
            description={words.form.nameHint}
            inputWrapperOrder={["label", "input", "description"]}
            required
            error={!NAME.test(name) || name === "default"}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </div>
      }
      cli={(draft, reason) =>
        [`stepwell schedules add ${place ?? "GROUP/WORKFLOW"} ${name}`, ...optionsOf(draft)]
          .concat(`--reason ${quoted(reason)}`)
          .join(" ")
      }
      onCancel={props.onClose}
      onSave={async (draft, reason) => {
        const made = await ok(
          api.POST("/api/v1/schedules", {
            body: {
              group,
              workflow,
              name,
              spec: specOf(draft.form),
              parameters: parametersOf(draft.parameters) ?? {},
              late_after: draft.lateAfter,
              too_long_after: draft.tooLong,
              reason: reason || null,
            },
          }),
        );
        announce(words.form.added);
        void client.invalidateQueries({ queryKey: ["schedules"] });
        void navigate({
          search: (old) => ({
            ...old,
            add: undefined,
            workflow: undefined,
            schedule: made.id,
          }),
        });
      }}
    />
  );
}
