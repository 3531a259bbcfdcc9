import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function RunPage() {
  return <Soon title={shell.nav.runs} />;
}
