/** Every screen. A new one is a file beside this, and a line here. */

import { homeRoutes } from "./home";
import { loginRoute } from "./login";
import { metricsRoutes } from "./metrics";
import { passwordRoute } from "./password";
import { reportsRoutes } from "./reports";
import { reviewRoutes } from "./review";
import { missingRoute, rootRoute, shellRoute } from "./root";
import { runsRoutes } from "./runs";
import { schedulesRoutes } from "./schedules";
import { settingsRoutes } from "./settings";
import { stateRoutes } from "./state";
import { stepsRoutes } from "./steps";
import { workflowsRoutes } from "./workflows";

export const routeTree = rootRoute.addChildren([
  loginRoute,
  passwordRoute,
  shellRoute.addChildren([
    ...homeRoutes,
    ...reviewRoutes,
    ...workflowsRoutes,
    ...schedulesRoutes,
    ...runsRoutes,
    ...metricsRoutes,
    ...reportsRoutes,
    ...stateRoutes,
    ...stepsRoutes,
    ...settingsRoutes,
    missingRoute,
  ]),
]);
