import { ActionIcon, Button, Checkbox, Popover } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { runs as words } from "@/strings/runs";
import classes from "./ColumnsMenu.module.css";
import { ALL_COLUMNS, type ColumnKey, USUAL_COLUMNS } from "./columns";

interface Props {
  keys: ColumnKey[];
  /** Undefined: the usual ones. */
  onChange: (keys: ColumnKey[] | undefined) => void;
}

/** Which columns there are, and their order. */
export function ColumnsMenu({ keys, onChange }: Props) {
  const rest = ALL_COLUMNS.filter((key) => !keys.includes(key));
  const set = (next: ColumnKey[]) =>
    onChange(next.join() === USUAL_COLUMNS.join() ? undefined : next);
  const move = (at: number, by: number) => {
    const next = [...keys];
    const [one] = next.splice(at, 1);
    if (one !== undefined) next.splice(at + by, 0, one);
    set(next);
  };
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
                onChange={() => set(keys.filter((one) => one !== key))}
              />
              <span className="sw-grow" />
              <ActionIcon
                variant="subtle"
                color="gray"
                size={24}
                disabled={at === 0}
                aria-label={`${words.column[key]}: ${words.earlier}`}
                onClick={() => move(at, -1)}
              >
                <IconArrowUp size={14} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={24}
                disabled={at === keys.length - 1}
                aria-label={`${words.column[key]}: ${words.later}`}
                onClick={() => move(at, 1)}
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
                onChange={() => set([...keys, key])}
              />
            </li>
          ))}
        </ul>
        <Button variant="subtle" fullWidth onClick={() => onChange(undefined)}>
          {words.standard}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
