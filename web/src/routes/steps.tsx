import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { oneOf, params, text } from "@/lib/search";
import { asQuery, OLD_FIELDS, type OldField } from "@/rooms/steps/words";
import { shellRoute } from "./root";

const old = Object.fromEntries(OLD_FIELDS.map((field) => [field, text(200)])) as Record<
  OldField,
  ReturnType<typeof text>
>;

const found = params({
  ...old,
  q: text(1000),
  status: oneOf("ready", "done", "failed"),
  /** The step whose drawer is open. */
  step: text(40),
  /** Instead of the list: failed steps grouped by how they failed. */
  view: oneOf("failures"),
});

/** Links of before go on to what says the same as a query. */
function inWords({ q, status, step, view, ...fields }: ReturnType<typeof found>): void {
  const words = asQuery(fields);
  if (words === "") return;
  const search = { q: `${q ?? ""} ${words}`.trim(), status, step, view };
  throw redirect({ to: "/steps", search, replace: true });
}

export const stepsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/steps",
    validateSearch: found,
    beforeLoad: ({ search }) => inWords(search),
    component: lazyRouteComponent(() => import("@/rooms/steps/StepsPage"), "StepsPage"),
  }),
] as const;
