/** The parts of the settings, in their order. */
export const SETTINGS_PAGES = [
  "sources",
  "groups",
  "launchers",
  "limits",
  "notifications",
  "users",
  "tokens",
  "account",
  "views",
  "retention",
  "audit",
  "system",
] as const;

export type SettingsPart = (typeof SETTINGS_PAGES)[number];
