import { Soon } from "@/shell/Broken";
import { schedules as words } from "@/strings/schedules";

export function CalendarsPage() {
  return <Soon title={words.calendar.title} />;
}
