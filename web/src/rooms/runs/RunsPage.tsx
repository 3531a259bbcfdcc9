import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function RunsPage() {
  return <Soon title={shell.nav.runs} />;
}
