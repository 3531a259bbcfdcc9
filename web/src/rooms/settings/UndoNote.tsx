import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import { because, orNull, useDone } from "./Parts";
import type { Mute, Rule } from "./queries";
import { kindsOf, placeOf } from "./rules";
import classes from "./Settings.module.css";

const words = settings.notes;

interface Props {
  rule?: Rule;
  mute?: Mute;
  onClose: () => void;
}

/** Ends a rule, or speaks of a cause again. */
export function UndoNote({ rule, mute, onClose }: Props) {
  const done = useDone("notifications");
  const what = rule?.id ?? mute?.cause ?? "";
  return (
    <ReasonDialog
      opened
      optional
      danger={rule !== undefined}
      onClose={onClose}
      title={rule === undefined ? words.unmuteTitle : words.removeRuleTitle(rule.target)}
      submit={rule === undefined ? words.unmute : words.removeRule}
      cli={(reason) =>
        `stepwell notifications ${rule === undefined ? "mutes" : "rules"} remove ${quoted(what)}${because(reason)}`
      }
      onSubmit={async (reason) => {
        const query = { reason: orNull(reason) };
        if (rule !== undefined) {
          const path = { rule_id: rule.id };
          await ok(
            api.DELETE("/api/v1/notifications/rules/{rule_id}", { params: { path, query } }),
          );
        } else {
          const path = { cause: what };
          await ok(api.DELETE("/api/v1/notifications/mutes/{cause}", { params: { path, query } }));
        }
        await done();
      }}
    >
      <p className={classes.lead}>
        {rule === undefined
          ? (mute?.sentence ?? what)
          : words.removeRuleLead(rule.target, kindsOf(rule), placeOf(rule))}
      </p>
    </ReasonDialog>
  );
}
