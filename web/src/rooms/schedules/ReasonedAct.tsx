/** Take a schedule away, or its override. */

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { schedules as words } from "@/strings/schedules";
import { endOverride, remove } from "./acts";
import { placeOf, type Schedule } from "./queries";

export type Reasoned = "remove" | "endOverride";

interface Props {
  asked: Reasoned | null;
  schedule: Schedule;
  onClose: () => void;
}

export function ReasonedAct({ asked, schedule, onClose }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate({ from: "/schedules" });
  if (asked === null) return null;
  const target = { ...schedule, schedule_id: schedule.id };
  const command = asked === "remove" ? "remove" : "end-override";
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words[asked].title}
      submit={words[asked].title}
      danger={asked === "remove"}
      cli={(reason) =>
        `stepwell schedules ${command} ${placeOf(schedule)} --reason ${quoted(reason)}`
      }
      onSubmit={async (reason) => {
        await (asked === "remove" ? remove : endOverride)(target, reason);
        announce(words[asked].title);
        if (asked === "remove") {
          void navigate({ search: (old) => ({ ...old, schedule: undefined, tab: undefined }) });
        }
        void client.invalidateQueries({ queryKey: ["schedules"] });
      }}
    >
      <strong>{placeOf(schedule)}</strong>
      <p>{words[asked].text}</p>
    </ReasonDialog>
  );
}
