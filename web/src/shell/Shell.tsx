/** The frame of every screen: rail, top bar, the page, the live region, keys. */

import { useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { live } from "@/api/live";
import { meQuery } from "@/api/session";
import { announce, onAnnounce } from "@/lib/announce";
import { cx } from "@/lib/cx";
import { common } from "@/strings/common";
import { shell } from "@/strings/shell";
import { BehindNote } from "./BehindNote";
import { GlobalKeys } from "./GlobalKeys";
import { Palette } from "./Palette";
import { BottomBar, Rail } from "./Rail";
import { SessionOver } from "./SessionOver";
import classes from "./Shell.module.css";
import { useBare } from "./screens";
import { TopBar } from "./TopBar";

export function Shell() {
  useSuspenseQuery(meQuery);
  const bare = useBare();
  useEffect(() => {
    if (bare) return;
    live.start();
    return () => live.stop();
  }, [bare]);
  const page = usePageFocus();
  const coming = useComing();
  return (
    <div className={classes.frame}>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place of this page */}
      <a
        className={classes.skip}
        href="#page"
        onClick={(event) => {
          event.preventDefault();
          page.current?.focus();
        }}
      >
        {shell.skip}
      </a>
      <Rail />
      <TopBar />
      <main id="page" ref={page} tabIndex={-1} className={classes.page} aria-busy={coming}>
        <BehindNote />
        <Outlet />
      </main>
      <BottomBar />
      <Announcer />
      <Palette />
      <GlobalKeys />
      <SessionOver />
    </div>
  );
}

/** After another screen has come, the focus is at its beginning; filters leave it where it is. */
function usePageFocus() {
  const page = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    page.current?.focus({ preventScroll: true });
  }, [pathname]);
  return page;
}

/** So long another screen may take before it is said that it comes. */
const PATIENCE = 1000;

/** Whether another screen is on its way: the one before stays until it is there. */
function useComing(): boolean {
  const coming = useRouterState({ select: (state) => state.isLoading });
  useEffect(() => {
    if (!coming) return;
    const late = window.setTimeout(() => announce(common.loading), PATIENCE);
    return () => window.clearTimeout(late);
  }, [coming]);
  return coming;
}

function Announcer() {
  const [text, setText] = useState("");
  useEffect(() => onAnnounce(setText), []);
  return (
    <div className={cx("sw-hidden", classes.told)} role="status" aria-live="polite">
      {text}
    </div>
  );
}
