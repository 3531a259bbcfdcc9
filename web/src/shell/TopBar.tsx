import {
  ActionIcon,
  Button,
  Divider,
  Popover,
  SegmentedControl,
  Switch,
  Text,
  Tooltip,
  UnstyledButton,
  useMantineColorScheme,
} from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import {
  IconKeyboard,
  IconLogout,
  IconPlayerPause,
  IconPlayerPlay,
  IconSearch,
  IconUser,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { live, useLiveState } from "@/api/live";
import { signOut, useMe } from "@/api/session";
import { useNow } from "@/lib/now";
import { ENVIRONMENT } from "@/lib/page";
import { setPrefs, usePrefs, type ZoneChoice } from "@/lib/prefs";
import { relative } from "@/lib/time";
import { shell } from "@/strings/shell";
import { openHelp } from "./GlobalKeys";
import { useBare } from "./screens";
import classes from "./TopBar.module.css";

export function TopBar() {
  const bare = useBare();
  return (
    <header className={classes.bar}>
      {ENVIRONMENT ? <span className={classes.environment}>{ENVIRONMENT}</span> : null}
      <UnstyledButton className={classes.search} onClick={() => spotlight.open()}>
        <IconSearch size={15} aria-hidden="true" />
        <span className={classes.searchText}>{shell.palette}</span>
        <kbd className={classes.kbd}>Ctrl K</kbd>
      </UnstyledButton>
      <span className={classes.space} />
      {bare ? null : <LiveSwitch />}
      <UserMenu />
    </header>
  );
}

function LiveSwitch() {
  const { link, updatedAt } = useLiveState();
  const now = useNow();
  const paused = link === "paused";
  const toggle = () => live.pause(!paused);
  const ago = updatedAt > 0 ? relative(new Date(updatedAt).toISOString(), now) : "";
  return (
    <Tooltip label={`${paused ? shell.resume : shell.pause} (p)`}>
      <UnstyledButton className={classes.live} data-link={link} onClick={toggle}>
        {paused ? (
          <IconPlayerPlay size={13} aria-hidden="true" />
        ) : (
          <span className={classes.dot} aria-hidden="true" />
        )}
        <span className={classes.liveWord}>{shell.live[link]}</span>
        <span className={classes.ago}>{ago === "" ? "" : shell.updated(ago)}</span>
        <span className="sw-hidden">{paused ? shell.resume : shell.pause}</span>
        {paused ? null : (
          <IconPlayerPause size={13} className={classes.pauseIcon} aria-hidden="true" />
        )}
      </UnstyledButton>
    </Tooltip>
  );
}

function UserMenu() {
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { zone, keys } = usePrefs();
  const navigate = useNavigate();
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      position="bottom-end"
      width={280}
      opened={opened}
      onChange={setOpened}
      withinPortal={false}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-label={shell.user}
          onClick={() => setOpened(!opened)}
        >
          <IconUser size={18} stroke={1.6} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p={4}>
        <div className={classes.me}>
          <Text size="xs" c="dimmed">
            {shell.signedInAs}
          </Text>
          <Text fw={600}>{me.name}</Text>
          <Text size="xs" c="dimmed">
            {me.role}
          </Text>
        </div>
        <Divider my={4} />
        <div className={classes.choice}>
          <span className="sw-label">{shell.theme.label}</span>
          <SegmentedControl
            fullWidth
            aria-label={shell.theme.label}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as "auto" | "light" | "dark")}
            data={(["auto", "light", "dark"] as const).map((value) => ({
              value,
              label: shell.theme[value],
            }))}
          />
        </div>
        <div className={classes.choice}>
          <span className="sw-label">{shell.zone.label}</span>
          <SegmentedControl
            fullWidth
            aria-label={shell.zone.label}
            value={zone}
            onChange={(value) => setPrefs({ zone: value as ZoneChoice })}
            data={(["local", "utc", "schedule"] as const).map((value) => ({
              value,
              label: shell.zone[value],
            }))}
          />
        </div>
        <div className={classes.choice}>
          <Switch
            size="xs"
            label={shell.keysOn}
            checked={keys}
            onChange={(event) => setPrefs({ keys: event.currentTarget.checked })}
          />
        </div>
        <Divider my={4} />
        <Button
          variant="subtle"
          color="gray"
          fullWidth
          justify="flex-start"
          leftSection={<IconKeyboard size={15} />}
          rightSection={<kbd className={classes.kbd}>?</kbd>}
          onClick={() => {
            setOpened(false);
            openHelp();
          }}
        >
          {shell.help}
        </Button>
        <Button
          variant="subtle"
          color="gray"
          fullWidth
          justify="flex-start"
          leftSection={<IconLogout size={15} />}
          onClick={() => {
            void signOut().finally(() => navigate({ to: "/login", search: {} }));
          }}
        >
          {shell.signOut}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
