import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function MetricsPage() {
  return <Soon title={shell.nav.metrics} />;
}
