/** The command palette: screens, workflows, and a search of runs. */

import { Spotlight, type SpotlightActionData } from "@mantine/spotlight";
import { IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FocusEvent, useRef, useState } from "react";
import { api, ok } from "@/api/client";
import { giveBack } from "@/lib/focus";
import { shell } from "@/strings/shell";
import { useAllScreens, useBare } from "./screens";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function Palette() {
  const navigate = useNavigate();
  const screens = useAllScreens();
  const bare = useBare();
  const [text, setText] = useState("");
  const opener = useRef<HTMLElement | null>(null);
  const wanted = text.trim();
  const { data: workflows } = useQuery({
    queryKey: ["runs", "completions", "palette", wanted],
    enabled: !bare && wanted.length > 0 && !wanted.includes(":"),
    staleTime: 60_000,
    queryFn: () =>
      ok(
        api.GET("/api/v1/runs/completions", {
          params: { query: { q: `workflow:${wanted.replaceAll(/[\s"]/g, "")}` } },
        }),
      ),
  });
  const runs = (q: string) => () => void navigate({ to: "/runs", search: { q } });
  const actions: SpotlightActionData[] = screens.map((screen) => ({
    id: screen.id,
    label: shell.nav[screen.id],
    leftSection: <screen.icon size={18} stroke={1.6} />,
    rightSection: <kbd>g {screen.key}</kbd>,
    onClick: () => void navigate({ to: screen.to }),
  }));
  const fitting = actions.filter((one) => one.label?.toLowerCase().includes(wanted.toLowerCase()));
  const found: SpotlightActionData[] = (workflows?.items ?? []).map((one) => ({
    id: `workflow ${one.text}`,
    label: one.text,
    description: shell.findRuns(`workflow:${one.text}`),
    leftSection: <IconPlayerPlay size={18} stroke={1.6} />,
    onClick: runs(`workflow:${one.text}`),
  }));
  const search: SpotlightActionData[] =
    wanted === "" || bare
      ? []
      : [
          {
            id: "search",
            label: shell.findRuns(wanted),
            leftSection: <IconSearch size={18} stroke={1.6} />,
            onClick: UUID.test(wanted)
              ? () => void navigate({ to: "/runs/$runId", params: { runId: wanted }, search: {} })
              : runs(wanted),
          },
        ];
  return (
    <Spotlight
      actions={[...fitting, ...found, ...search]}
      filter={(_, all) => all}
      query={text}
      onQueryChange={setText}
      shortcut="mod + K"
      clearQueryOnClose
      nothingFound={shell.paletteNothing}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: shell.palette,
        "aria-label": shell.palette,
        autoFocus: true,
        onFocus: (event: FocusEvent<HTMLInputElement>) => {
          opener.current = event.relatedTarget as HTMLElement | null;
        },
      }}
      returnFocus={false} // Mantine looks too late, when the field has the focus
      onSpotlightClose={() => giveBack([opener.current])}
      // At once, so that who types on after the keys that open it loses no letter.
      transitionProps={{ duration: 0 }}
      attributes={{ content: { "aria-label": shell.palette } }}
      limit={14}
      scrollable
    />
  );
}
