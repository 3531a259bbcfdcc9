import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { moment, oneOf, params, text } from "@/lib/search";
import { shellRoute } from "./root";

export const stepsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/steps",
    validateSearch: params({
      status: oneOf("ready", "done", "failed"),
      name_prefix: text(200),
      queue: text(100),
      search_key_prefix: text(200),
      correlation_id_prefix: text(200),
      unique_key: text(200),
      fingerprint: text(64),
      description_contains: text(200),
      state_contains: text(200),
      result_contains: text(200),
      activation_args_contains: text(200),
      executed_by: text(200),
      flow_id: text(40),
      created_by_step_id: text(40),
      copy_of: text(40),
      limit_key: text(200),
      rate_key: text(200),
      ended_as: oneOf("done", "failed", "cancelled", "skipped"),
      created_from: moment(),
      created_to: moment(),
      ended_from: moment(),
      ended_to: moment(),
      /** The step whose drawer is open. */
      step: text(40),
      /** Instead of the list: failed steps grouped by how they failed. */
      view: oneOf("failures"),
    }),
    component: lazyRouteComponent(() => import("@/rooms/steps/StepsPage"), "StepsPage"),
  }),
] as const;
