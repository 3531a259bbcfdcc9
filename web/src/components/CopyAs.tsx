import { Button, Menu, Text } from "@mantine/core";
import { IconCheck, IconCode, IconLink } from "@tabler/icons-react";
import { wouldSend } from "@/api/client";
import { announce } from "@/lib/announce";
import { exactText } from "@/lib/exact";
import { usePhone } from "@/lib/media";
import { BASE } from "@/lib/page";
import { common } from "@/strings/common";
import { useCopy } from "./CopyButton";

export interface Call {
  /** The command, `stepwell runs list state:failed`. */
  cli: string;
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below /api/v1, with its query: `/runs?q=state%3Afailed`. */
  path: string;
  body?: unknown;
}

/** An argument of a shell, in quotes where it needs them. */
export function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** ` --reason '…'`, or nothing where none is given. */
export function reasonFlag(reason: string): string {
  return reason === "" ? "" : ` --reason ${quoted(reason)}`;
}

export function asCurl(call: Call, origin: string): string {
  const { method = "GET", body } = call;
  const parts = ["curl", ...(method === "GET" ? [] : ["-X", method])];
  parts.push("-H", '"Authorization: Bearer $STEPWELL_TOKEN"');
  if (method !== "GET") parts.push("-H", '"Idempotency-Key: $(uuidgen)"');
  if (body !== undefined) {
    parts.push("-H", "'Content-Type: application/json'", "-d", quoted(exactText(body)));
  }
  return [...parts, quoted(`${origin}/api/v1${call.path}`)].join(" ");
}

export function asPython(call: Call, origin: string): string {
  const { method = "GET", body } = call;
  const changes = method !== "GET";
  return [
    "import os",
    changes ? "import uuid\n" : "",
    "import httpx",
    "",
    'headers = {"Authorization": f"Bearer {os.environ[\'STEPWELL_TOKEN\']}"}',
    changes ? 'headers["Idempotency-Key"] = str(uuid.uuid4())' : "",
    "answer = httpx.request(",
    `    "${method}", ${JSON.stringify(`${origin}/api/v1${call.path}`)},`,
    body === undefined ? "" : `    json=${pythonOf(body)},`,
    "    headers=headers,",
    ")",
    "print(answer.raise_for_status().json())",
  ]
    .filter((line, at) => line !== "" || at === 3)
    .join("\n");
}

const PYTHON: Record<string, string> = { true: "True", false: "False", null: "None" };

/** Texts stay as they are, whatever they say. */
function pythonOf(value: unknown): string {
  return exactText(value).replaceAll(
    /"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g,
    (token) => PYTHON[token] ?? token,
  );
}

/** The line that tells it from others. */
function firstOf(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => /^"[A-Z]+", /.test(line)) ?? lines[0] ?? "";
}

/** The same view or act from a terminal, curl or Python; and the link to it. */
export function CopyAs({ call, compact = false }: { call: Call; compact?: boolean }) {
  const [copied, copy] = useCopy();
  const phone = usePhone();
  const bare = compact || phone;
  const origin = `${window.location.origin}${BASE}`;
  const items: [string, string][] = [
    ["CLI", call.cli],
    ["curl", asCurl(call, origin)],
    ["Python", asPython(call, origin)],
  ];
  return (
    <Menu position="bottom-end" width={340}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={copied ? <IconCheck size={14} /> : <IconCode size={14} />}
          aria-label={common.copyAs}
          px={bare ? 8 : undefined}
        >
          {bare ? "" : copied ? common.copied : common.copyAs}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {items.map(([name, text]) => (
          <Menu.Item key={name} onClick={() => copy(text)}>
            <Text size="sm" fw={560}>
              {name}
            </Text>
            <Text size="xs" c="dimmed" className="sw-truncate sw-mono">
              {firstOf(text)}
            </Text>
          </Menu.Item>
        ))}
        {(call.method ?? "GET") === "GET" ? (
          <>
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconLink size={14} />}
              onClick={() => copy(window.location.href)}
            >
              {common.copyLink}
            </Menu.Item>
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The act of a dialog as curl or Python: what it would send now, without sending it. */
export function CopyAct({ act, disabled }: { act: () => Promise<unknown>; disabled?: boolean }) {
  const [copied, copy] = useCopy();
  const origin = `${window.location.origin}${BASE}`;
  const take = async (write: typeof asCurl) => {
    const change = await wouldSend(act).catch(() => undefined);
    if (change === undefined) announce(common.copyFailed);
    else copy(write({ cli: "", ...change }, origin));
  };
  return (
    <span className="sw-row">
      {copied ? <IconCheck size={14} role="img" aria-label={common.copied} /> : null}
      {(
        [
          ["curl", asCurl],
          ["Python", asPython],
        ] as const
      ).map(([name, write]) => (
        <Button
          key={name}
          variant="subtle"
          color="gray"
          size="compact-sm"
          disabled={disabled}
          aria-label={`${common.copyAs} ${name}`}
          onClick={() => void take(write)}
        >
          {name}
        </Button>
      ))}
    </span>
  );
}
