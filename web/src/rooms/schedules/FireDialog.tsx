/** Run one fire that did not run when it was due. */

import { useQueryClient } from "@tanstack/react-query";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import { fire } from "./acts";
import { shownZone, whenText } from "./MarkCard";
import type { Item, Lane } from "./marks";
import { placeOf } from "./queries";

interface Props {
  ask: { lane: Lane; item: Item } | null;
  onClose: () => void;
}

export function FireDialog({ ask, onClose }: Props) {
  const client = useQueryClient();
  const zone = shownZone(useZone());
  if (ask === null) return null;
  const due = new Date(ask.item.first).toISOString();
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.fire.title}
      submit={words.fire.submit}
      optional
      cli={(reason) =>
        `stepwell schedules fire ${placeOf(ask.lane)} ${due.replace(/\.000Z$/, "Z")} --reason ${quoted(reason)}`
      }
      onSubmit={async (reason) => {
        await fire(ask.lane, due, reason);
        announce(words.backfill.begun);
        void client.invalidateQueries({ queryKey: ["schedules"] });
      }}
    >
      <strong>{placeOf(ask.lane)}</strong>
      <p>{words.fire.text(whenText(ask.item.first, zone, ask.lane))}</p>
    </ReasonDialog>
  );
}
