import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function SchedulesPage() {
  return <Soon title={shell.nav.schedules} />;
}
