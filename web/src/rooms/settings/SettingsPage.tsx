import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function SettingsPage() {
  return <Soon title={shell.nav.settings} />;
}
