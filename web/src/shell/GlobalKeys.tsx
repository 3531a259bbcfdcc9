/** Keys that act everywhere, and the dialog that lists them. */

import { Kbd, Switch } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { Link, useNavigate } from "@tanstack/react-router";
import { useSyncExternalStore } from "react";
import { live } from "@/api/live";
import { Dialog } from "@/components/Dialog";
import { useKeys } from "@/lib/keys";
import { setPrefs, usePrefs } from "@/lib/prefs";
import { shell } from "@/strings/shell";
import classes from "./GlobalKeys.module.css";
import { useAllScreens } from "./screens";

let help = false;
let tell: () => void = () => undefined;

function setHelp(open: boolean): void {
  help = open;
  tell();
}

export function openHelp(): void {
  setHelp(true);
}

const subscribe = (listener: () => void) => {
  tell = listener;
  return () => {
    tell = () => undefined;
  };
};

export function GlobalKeys() {
  const navigate = useNavigate();
  const { keys } = usePrefs();
  const opened = useSyncExternalStore(subscribe, () => help);
  const screens = useAllScreens();
  const jumps = screens.map((screen) => [
    `g ${screen.key}`,
    () => void navigate({ to: screen.to }),
  ]);
  useKeys({
    ...Object.fromEntries(jumps),
    "?": openHelp,
    "/": () => spotlight.open(),
    r: () => live.refresh(),
    p: () => live.pause(live.snapshot().link !== "paused"),
  });
  return (
    <Dialog opened={opened} onClose={() => setHelp(false)} title={shell.help} size="md">
      <dl className={classes.keys}>
        {shell.keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((one) => (
                <Kbd key={one} size="xs">
                  {one}
                </Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="sw-soft">{shell.helpFields}</p>
      <p>
        <Link to="/" search={{ first: true }} onClick={() => setHelp(false)}>
          {shell.firstSteps}
        </Link>
      </p>
      <Switch
        size="sm"
        label={shell.keysOn}
        checked={keys}
        onChange={(event) => setPrefs({ keys: event.currentTarget.checked })}
      />
    </Dialog>
  );
}
