/** The sign: steps that go down to water. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d="M2 4h20v4h-4v4h-4v4h-4v-4H6V8H2z" fill="#e3be72" />
      <rect x="9.5" y="18" width="5" height="2.4" rx="1.2" fill="#6fc0b7" />
    </svg>
  );
}
