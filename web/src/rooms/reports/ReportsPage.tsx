import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function ReportsPage() {
  return <Soon title={shell.nav.reports} />;
}
