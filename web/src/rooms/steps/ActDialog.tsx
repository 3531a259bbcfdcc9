import { JsonInput, SegmentedControl } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { parsed } from "@/lib/json";
import { useBare } from "@/shell/screens";
import { steps as words } from "@/strings/steps";
import type { StepDetail } from "./queries";

export type Act = "activate" | "again" | "end";

type EndedAs = keyof typeof words.endedAs;

interface Props {
  act: Act;
  step: StepDetail;
  onClose: () => void;
}

const TITLES = { activate: words.activateTitle, again: words.againTitle, end: words.endTitle };
const SUBMITS = { activate: words.activate, again: words.again, end: words.end };

export function ActDialog({ act, step, onClose }: Props) {
  const [args, setArgs] = useState("");
  const [endedAs, setEndedAs] = useState<EndedAs>("cancelled");
  const cache = useQueryClient();
  const bare = useBare();
  const value = args.trim() === "" ? { value: null } : parsed(args);
  const params = { params: { path: { step_id: step.id } } };

  async function submit(reason: string) {
    const said = { reason: reason === "" ? null : reason };
    if (act === "activate") {
      await ok(
        api.POST("/api/v1/steps/{step_id}/activations", {
          ...params,
          body: { ...said, args: value?.value ?? null },
        }),
      );
    } else if (act === "again") {
      await ok(api.POST("/api/v1/steps/{step_id}/re-executions", { ...params, body: said }));
    } else {
      await ok(
        api.POST("/api/v1/steps/{step_id}/endings", {
          ...params,
          body: { ended_as: endedAs, reason },
        }),
      );
    }
    notifications.show({ message: words.done });
    await cache.invalidateQueries({ queryKey: ["steps"] });
  }

  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={TITLES[act](step.name)}
      submit={SUBMITS[act]}
      danger={act === "end"}
      optional={act !== "end"}
      hint={bare ? (act === "end" ? words.reasonHint : "") : undefined}
      ready={value !== undefined}
      cli={(reason) => command(act, step.id, args, endedAs, reason)}
      onSubmit={submit}
    >
      {act === "activate" ? (
        <>
          <p className="sw-soft">{words.activateLead}</p>
          <JsonInput
            label={words.argsJson}
            value={args}
            autosize
            minRows={2}
            error={value === undefined ? words.noJson : undefined}
            onChange={setArgs}
          />
        </>
      ) : act === "again" ? (
        <p className="sw-soft">{words.againLead}</p>
      ) : (
        <SegmentedControl
          aria-label={words.endAs}
          value={endedAs}
          onChange={(next) => setEndedAs(next as EndedAs)}
          data={Object.entries(words.endedAs).map(([name, label]) => ({ value: name, label }))}
        />
      )}
    </ReasonDialog>
  );
}

function command(act: Act, id: string, args: string, endedAs: EndedAs, reason: string): string {
  const said = reason === "" ? "" : ` --reason ${quoted(reason)}`;
  if (act === "activate") {
    return `stepwell steps activate ${id}${args === "" ? "" : ` --args ${quoted(args)}`}${said}`;
  }
  if (act === "again") return `stepwell steps retry ${id}${said}`;
  return `stepwell steps fail ${id} --as ${endedAs}${said}`;
}
