/** A link that the server wrote: a path of this site with its query. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { parseSearch } from "@/lib/search";

interface Props {
  href: string;
  className?: string;
  children: ReactNode;
}

export function InnerLink({ href, className, children }: Props) {
  const [path = "/", query = ""] = href.split("?");
  return (
    // What the server names is checked by the route's own validator.
    <Link to={path as "/"} search={parseSearch(query) as never} className={className}>
      {children}
    </Link>
  );
}
