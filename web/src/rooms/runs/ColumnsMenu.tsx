import { ActionIcon, Button, Checkbox, Popover } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { runs as words } from "@/strings/runs";
import classes from "./ColumnsMenu.module.css";
import { ALL_COLUMNS, type ColumnKey, USUAL_COLUMNS } from "./columns";

interface Props {
  keys: ColumnKey[];
  /** Makes others of those that are chosen by then, which `keys` are only later. */
  onChange: (change: (now: ColumnKey[]) => ColumnKey[]) => void;
}

/** Which columns there are, and their order. */
export function ColumnsMenu({ keys, onChange }: Props) {
  const rest = ALL_COLUMNS.filter((key) => !keys.includes(key));
  const drop = (key: ColumnKey) => onChange((now) => now.filter((one) => one !== key));
  const move = (key: ColumnKey, by: number) =>
    onChange((now) => {
      const at = now.indexOf(key);
      if (at < 0) return now;
      const next = now.toSpliced(at, 1);
      return next.toSpliced(Math.max(0, at + by), 0, key);
    });
  return (
    <Popover position="bottom-end" width={280} trapFocus>
      <Popover.Target>
        <Button variant="subtle" color="gray" leftSection={<IconColumns3 size={15} />}>
          {words.columns}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <ul className={classes.list}>
          {keys.map((key, at) => (
            <li key={key}>
              <Checkbox
                size="xs"
                label={words.column[key]}
                checked
                disabled={keys.length === 1}
                onChange={() => drop(key)}
              />
              <span className="sw-grow" />
              <ActionIcon
                variant="subtle"
                color="gray"
                size={24}
                disabled={at === 0}
                aria-label={`${words.column[key]}: ${words.earlier}`}
                onClick={() => move(key, -1)}
              >
                <IconArrowUp size={14} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={24}
                disabled={at === keys.length - 1}
                aria-label={`${words.column[key]}: ${words.later}`}
                onClick={() => move(key, 1)}
              >
                <IconArrowDown size={14} />
              </ActionIcon>
            </li>
          ))}
          {rest.map((key) => (
            <li key={key}>
              <Checkbox
                size="xs"
                label={words.column[key]}
                checked={false}
                onChange={() => onChange((now) => [...now, key])}
              />
            </li>
          ))}
        </ul>
        <Button variant="subtle" fullWidth onClick={() => onChange(() => [...USUAL_COLUMNS])}>
          {words.standard}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
