import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function StatePage() {
  return <Soon title={shell.nav.state} />;
}
