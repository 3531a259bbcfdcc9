/** Run the fires of a span that is past: what would run is shown before anything does. */

import { Alert, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { Instant } from "@/components/Instant";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { duration } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import classes from "./Dialogs.module.css";
import { fromInput, toInput } from "./inputs";
import { shownZone } from "./MarkCard";
import type { Lane } from "./marks";
import { backfillPreviewQuery, type NewBackfill, placeOf } from "./queries";

export interface BackfillAsk {
  lane: Lane;
  begin: number;
  end: number;
}

interface Props {
  ask: BackfillAsk | null;
  onClose: () => void;
  onBegun: (lane: Lane) => void;
}

export function BackfillDialog({ ask, onClose, onBegun }: Props) {
  if (ask === null) return null;
  const key = `${ask.lane.schedule_id} ${ask.begin} ${ask.end}`;
  return <Ask key={key} ask={ask} onClose={onClose} onBegun={onBegun} />;
}

/** To the minute, outwards: a drag over a mark takes it with it. */
function widened(ask: BackfillAsk): { begin: string; end: string } {
  const minute = 60_000;
  const begin = Math.floor(ask.begin / minute) * minute;
  const end = Math.min(Date.now(), Math.max(begin + minute, Math.ceil(ask.end / minute) * minute));
  return { begin: new Date(begin).toISOString(), end: new Date(end).toISOString() };
}

function Ask({ ask, onClose, onBegun }: { ask: BackfillAsk } & Omit<Props, "ask">) {
  const client = useQueryClient();
  const zone = shownZone(useZone());
  const [body, setBody] = useState<NewBackfill>({
    ...widened(ask),
    which: "not-run",
    order: "oldest-first",
    concurrency: 1,
    per_minute: null,
  });
  const [asked] = useDebouncedValue(body, 200);
  const { lane } = ask;
  const preview = useQuery(backfillPreviewQuery(lane.schedule_id, asked));
  const set = (change: Partial<NewBackfill>) => setBody((old) => ({ ...old, ...change }));
  const found = preview.error === null ? preview.data : undefined;
  const count = found?.instants ?? 0;

  async function begin(reason: string) {
    await ok(
      api.POST("/api/v1/schedules/{schedule_id}/backfills", {
        params: { path: { schedule_id: lane.schedule_id } },
        body: { ...body, reason },
      }),
    );
    announce(words.backfill.begun);
    void client.invalidateQueries({ queryKey: ["schedules"] });
    onBegun(lane);
  }

  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={`${words.backfill.title} · ${placeOf(lane)}`}
      submit={words.backfill.submit(count)}
      ready={count > 0 && !preview.isFetching}
      cli={(reason) => command(lane, body, reason)}
      sample={
        found && count > 0
          ? {
              total: words.fires(count),
              items: found.sample.map((at) => ({
                id: at,
                content: <Instant at={at} as="exact" />,
              })),
            }
          : undefined
      }
      onSubmit={begin}
    >
      <p className="sw-soft">{words.backfill.lead}</p>
      <div className={classes.fields}>
        <TextInput
          type="datetime-local"
          label={words.backfill.from}
          value={toInput(Date.parse(body.begin), zone)}
          onChange={(event) => {
            const at = fromInput(event.currentTarget.value, zone);
            if (at !== null) set({ begin: at });
          }}
        />
        <TextInput
          type="datetime-local"
          label={words.backfill.to}
          description={words.backfill.zone(zone)}
          inputWrapperOrder={["label", "input", "description"]}
          value={toInput(Date.parse(body.end), zone)}
          onChange={(event) => {
            const at = fromInput(event.currentTarget.value, zone);
            if (at !== null) set({ end: at });
          }}
        />
        <Select
          label={words.backfill.which}
          allowDeselect={false}
          data={Object.entries(words.backfill.whichOf).map(([value, label]) => ({ value, label }))}
          value={body.which ?? "not-run"}
          onChange={(which) => set({ which: which as NewBackfill["which"] })}
        />
        <Select
          label={words.backfill.order}
          allowDeselect={false}
          data={Object.entries(words.backfill.orders).map(([value, label]) => ({ value, label }))}
          value={body.order ?? "oldest-first"}
          onChange={(order) => set({ order: order as NewBackfill["order"] })}
        />
        <NumberField
          label={words.backfill.concurrency}
          min={1}
          max={100}
          value={body.concurrency ?? 1}
          onChange={(value) => set({ concurrency: Number(value) })}
        />
        <NumberField
          label={words.backfill.perMinute}
          placeholder={words.backfill.unlimited}
          min={1}
          max={6000}
          optional
          value={body.per_minute ?? null}
          onChange={(value) => set({ per_minute: value === "" ? null : value })}
        />
      </div>
      {preview.error ? (
        <Alert color="red" title={asApiError(preview.error).what}>
          {asApiError(preview.error).fix}
        </Alert>
      ) : null}
      {found ? <Told found={found} stale={preview.isFetching} /> : null}
    </ReasonDialog>
  );
}

type Preview = NonNullable<
  Awaited<ReturnType<ReturnType<typeof backfillPreviewQuery>["queryFn"] & {}>>
>;

function Told({ found, stale }: { found: Preview; stale: boolean }) {
  return (
    <div className={classes.told} aria-live="polite" data-stale={stale || undefined}>
      <strong>{found.instants === 0 ? words.backfill.none : words.fires(found.instants)}</strong>
      {found.left_out > 0 ? <span>{words.backfill.leftOut(found.left_out)}</span> : null}
      {found.excluded > 0 ? <span>{words.backfill.excluded(found.excluded)}</span> : null}
      {found.instants === 0 ? null : found.expected_end && found.expected_seconds ? (
        <span>
          {words.backfill
            .ends("{when}", duration(found.expected_seconds))
            .split("{when}")
            .flatMap((part, at) =>
              at === 0 ? [part] : [<Instant key="end" at={found.expected_end ?? null} />, part],
            )}
        </span>
      ) : (
        <span>{words.backfill.unknownEnd}</span>
      )}
    </div>
  );
}

/** Without the milliseconds. */
const plain = (at: string) => at.replace(/\.000Z$/, "Z");

function command(lane: Lane, body: NewBackfill, reason: string): string {
  return [
    `stepwell schedules backfill ${placeOf(lane)}`,
    `--from ${plain(body.begin)} --to ${plain(body.end)}`,
    body.which === "not-run" ? "" : `--which ${body.which}`,
    body.order === "oldest-first" ? "" : `--order ${body.order}`,
    body.concurrency === 1 ? "" : `--concurrency ${body.concurrency}`,
    body.per_minute == null ? "" : `--per-minute ${body.per_minute}`,
    `--reason ${quoted(reason)}`,
  ]
    .filter(Boolean)
    .join(" ");
}
