import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function HomePage() {
  return <Soon title={shell.nav.home} />;
}
