import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** From a page to the list that it is of: above it, and so not the page where one is. */
export function UpLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link to={to} activeOptions={{ exact: true }}>
      {children}
    </Link>
  );
}
