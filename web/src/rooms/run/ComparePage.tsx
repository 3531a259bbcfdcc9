import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function ComparePage() {
  return <Soon title={shell.nav.runs} />;
}
