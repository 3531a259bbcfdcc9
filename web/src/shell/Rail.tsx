import { Menu, UnstyledButton } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { cx } from "@/lib/cx";
import { number } from "@/lib/time";
import { shell } from "@/strings/shell";
import { Mark } from "./Mark";
import classes from "./Rail.module.css";
import { type Screen, useBare, useScreens } from "./screens";
import { summaryQuery } from "./summary";

interface Badge {
  count: number;
  tone: "failed" | "review";
  label: string;
}

function useBadges(): Partial<Record<Screen["id"], Badge>> {
  const bare = useBare();
  const { data } = useQuery({ ...summaryQuery, enabled: !bare });
  if (data === undefined) return {};
  const { failing, waiting_reviews: reviews } = data.counts;
  return {
    ...(reviews > 0
      ? { review: { count: reviews, tone: "review", label: shell.badge.review(number(reviews)) } }
      : {}),
    ...(failing > 0
      ? { runs: { count: failing, tone: "failed", label: shell.badge.runs(number(failing)) } }
      : {}),
  };
}

export function Rail() {
  const badges = useBadges();
  const screens = useScreens();
  return (
    <nav className={classes.rail} aria-label={shell.rail}>
      <Link to="/" className={classes.brand} aria-label="Stepwell">
        <Mark size={24} />
        <span className={classes.name}>Stepwell</span>
      </Link>
      <ul className={classes.list}>
        {screens.map((screen) => (
          <li key={screen.id} className={cx(screen.id === "settings" && classes.last)}>
            <Entry screen={screen} badge={badges[screen.id]} className={classes.entry} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** On a phone: four screens, and the others behind More. */
export function BottomBar() {
  const badges = useBadges();
  const screens = useScreens();
  const first = screens.filter((one) => one.first);
  const rest = screens.filter((one) => !one.first);
  return (
    <nav className={classes.bottom} aria-label={shell.rail}>
      {first.map((screen) => (
        <Entry
          key={screen.id}
          screen={screen}
          badge={badges[screen.id]}
          className={classes.bottomEntry}
        />
      ))}
      {rest.length === 0 ? null : (
        <Menu position="top-end" width={200}>
          <Menu.Target>
            <UnstyledButton className={classes.bottomEntry}>
              <IconDots size={20} stroke={1.6} />
              <span className={classes.word}>{shell.nav.more}</span>
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {rest.map((screen) => (
              <Menu.Item
                key={screen.id}
                leftSection={<screen.icon size={16} stroke={1.6} />}
                renderRoot={(props: object) => <Link {...props} to={screen.to} />}
              >
                {shell.nav[screen.id]}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </nav>
  );
}

function Entry({
  screen,
  badge,
  className,
}: {
  screen: Screen;
  badge: Badge | undefined;
  className: string | undefined;
}) {
  return (
    <Link
      to={screen.to}
      className={className}
      activeOptions={{ exact: screen.to === "/", includeSearch: false }}
      title={shell.nav[screen.id]}
    >
      <screen.icon size={19} stroke={1.6} aria-hidden="true" />
      <span className={classes.word}>{shell.nav[screen.id]}</span>
      {badge ? (
        <span className={classes.badge} data-tone={badge.tone}>
          <span aria-hidden="true">{badge.count > 99 ? "99+" : badge.count}</span>
          <span className="sw-hidden">{badge.label}</span>
        </span>
      ) : null}
    </Link>
  );
}
