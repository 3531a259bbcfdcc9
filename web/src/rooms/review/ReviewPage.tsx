import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function ReviewPage() {
  return <Soon title={shell.nav.review} />;
}
