/** Show a cause to nobody until a day, and say why. */

import { Radio, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { home as words } from "@/strings/home";
import type { Cause } from "./queries";

type Days = keyof typeof words.mute.days | "date";
const DAY = 86_400_000;

export function MuteDialog({ cause, onClose }: { cause: Cause; onClose: () => void }) {
  const client = useQueryClient();
  const [days, setDays] = useState<Days>("7");
  const [date, setDate] = useState("");
  const until = days === "date" ? endOf(date) : new Date(Date.now() + Number(days) * DAY);
  const at = until === null ? "…" : `${until.toISOString().slice(0, 19)}Z`;
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.mute.title}
      submit={words.causes.mute}
      ready={until !== null && until.getTime() > Date.now()}
      cli={(reason) =>
        `stepwell causes mute ${cause.fingerprint} --until ${at} --reason ${quoted(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/causes/{fingerprint}/mutes", {
            params: { path: { fingerprint: cause.fingerprint } },
            body: { until: at, reason },
          }),
        );
        announce(words.causes.muted(1));
        void client.invalidateQueries({ queryKey: ["causes"] });
        void client.invalidateQueries({ queryKey: ["summary"] });
      }}
    >
      <strong>{cause.sentence}</strong>
      <p>{words.mute.text}</p>
      <Radio.Group label={words.mute.until} value={days} onChange={(next) => setDays(next as Days)}>
        <div className="sw-row sw-wrap">
          {(Object.keys(words.mute.days) as (keyof typeof words.mute.days)[]).map((one) => (
            <Radio key={one} size="xs" value={one} label={words.mute.days[one]} />
          ))}
          <Radio size="xs" value="date" label={words.mute.date} />
        </div>
      </Radio.Group>
      {days === "date" ? (
        <TextInput
          type="date"
          aria-label={words.mute.date}
          value={date}
          onChange={(event) => setDate(event.currentTarget.value)}
        />
      ) : null}
    </ReasonDialog>
  );
}

/** The end of a day on this clock. */
function endOf(date: string): Date | null {
  const at = new Date(`${date}T23:59:59`);
  return Number.isNaN(at.getTime()) ? null : at;
}
