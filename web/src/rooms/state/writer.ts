import { state as words } from "@/strings/state";
import type { Entry } from "./queries";

/** Who wrote a version, briefly: a run by the end of its id, as its own page shows it. */
export function writerOf(one: Pick<Entry, "run_id" | "written_by">): string {
  return one.run_id === null ? one.written_by : words.byRun(one.run_id);
}
