import { NativeSelect } from "@mantine/core";
import {
  IconBell,
  IconBookmark,
  IconBox,
  IconClockX,
  IconGauge,
  IconHeartbeat,
  IconHistory,
  IconKey,
  IconRadar2,
  IconRocket,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { CopyAs } from "@/components/CopyAs";
import { PageHeader } from "@/components/PageHeader";
import { usePhone } from "@/lib/media";
import { settings as words } from "@/strings/settings";
import { Account } from "./Account";
import { Audit } from "./Audit";
import { Groups } from "./Groups";
import { Launchers } from "./Launchers";
import { Limits } from "./Limits";
import { Notifications } from "./Notifications";
import { SETTINGS_PAGES, type SettingsPart } from "./pages";
import { Retention } from "./Retention";
import classes from "./Settings.module.css";
import { Sources } from "./Sources";
import { System } from "./System";
import { Tokens } from "./Tokens";
import { Users } from "./Users";
import { Views } from "./Views";

interface Part {
  icon: typeof IconBell;
  shown: () => React.ReactNode;
  /** The same from a terminal and from the API. */
  cli: string;
  path: string;
}

const PARTS: Record<SettingsPart, Part> = {
  sources: { icon: IconRadar2, shown: Sources, cli: "stepwell sources list", path: "/sources" },
  groups: { icon: IconBox, shown: Groups, cli: "stepwell groups list", path: "/groups" },
  launchers: {
    icon: IconRocket,
    shown: Launchers,
    cli: "stepwell launchers list",
    path: "/launchers",
  },
  limits: { icon: IconGauge, shown: Limits, cli: "stepwell pools list", path: "/run-limits" },
  notifications: {
    icon: IconBell,
    shown: Notifications,
    cli: "stepwell notifications targets list",
    path: "/notifications/targets",
  },
  users: { icon: IconUsers, shown: Users, cli: "stepwell users list", path: "/users" },
  tokens: { icon: IconKey, shown: Tokens, cli: "stepwell tokens list", path: "/tokens" },
  account: { icon: IconUser, shown: Account, cli: "stepwell users sessions", path: "/sessions" },
  views: { icon: IconBookmark, shown: Views, cli: "stepwell views list", path: "/views" },
  retention: {
    icon: IconClockX,
    shown: Retention,
    cli: "stepwell retention list",
    path: "/retention",
  },
  audit: { icon: IconHistory, shown: Audit, cli: "stepwell audit list", path: "/audit" },
  system: { icon: IconHeartbeat, shown: System, cli: "stepwell doctor", path: "/health" },
};

export function SettingsPage() {
  const { page = "sources" } = useSearch({ from: "/shell/settings" });
  const phone = usePhone();
  const { shown: Shown, cli, path } = PARTS[page];
  return (
    <>
      <PageHeader
        title={`${words.pages[page]} · ${words.title}`}
        heading={
          <>
            <span className="sw-soft">{words.title} / </span>
            {words.pages[page]}
          </>
        }
        lead={words.leads[page]}
        actions={<CopyAs call={{ cli, path }} />}
      />
      <div className={classes.frame}>
        {phone ? (
          <Choice page={page} />
        ) : (
          <nav aria-label={words.nav}>
            <ul className={classes.nav}>
              {SETTINGS_PAGES.map((one) => (
                <li key={one}>
                  <Entry part={one} current={one === page} />
                </li>
              ))}
            </ul>
          </nav>
        )}
        <div className={classes.body}>
          <Shown />
        </div>
      </div>
    </>
  );
}

/** All parts in one field, where there is no room beside the page. */
function Choice({ page }: { page: SettingsPart }) {
  const navigate = useNavigate();
  return (
    <NativeSelect
      aria-label={words.nav}
      className={classes.choose}
      value={page}
      data={SETTINGS_PAGES.map((value) => ({ value, label: words.pages[value] }))}
      onChange={(event) => {
        const next = event.currentTarget.value as SettingsPart;
        void navigate({ to: "/settings", search: addressOf(next) });
      }}
    />
  );
}

function addressOf(part: SettingsPart) {
  return { page: part === "sources" ? undefined : part };
}

function Entry({ part, current }: { part: SettingsPart; current: boolean }) {
  const Icon = PARTS[part].icon;
  return (
    <Link
      to="/settings"
      search={addressOf(part)}
      className={classes.entry}
      // What the router calls active is any search that holds this one.
      activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }}
      aria-current={current ? "page" : undefined}
    >
      <Icon size={17} stroke={1.6} aria-hidden="true" />
      {words.pages[part]}
    </Link>
  );
}
