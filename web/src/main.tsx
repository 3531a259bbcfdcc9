import "./nonce";
import "./styles/layers.css";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/media.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { whenSignedOut } from "./api/client";
import { over } from "./api/over";
import { queryClient } from "./api/query";
import { meQuery, onSignOut } from "./api/session";
import { NONCE } from "./lib/page";
import { router } from "./router";
import { resolver, theme } from "./theme";

whenSignedOut(async (asks) => {
  if (queryClient.getQueryData(meQuery.queryKey)) return over.again();
  const { pathname, href } = router.state.location;
  if (asks || pathname === "/login" || pathname === "/password") return false;
  await router.navigate({ to: "/login", search: { next: href } });
  return false;
});

onSignOut(() => window.location.reload());

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      defaultColorScheme="auto"
      getStyleNonce={() => NONCE}
    >
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
