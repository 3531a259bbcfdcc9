import { Soon } from "@/shell/Broken";
import { shell } from "@/strings/shell";

export function CatalogPage() {
  return <Soon title={shell.nav.catalog} />;
}
