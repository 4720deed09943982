/** The mark: a trading pit seen from above. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeLinejoin="round">
        <path d="M10.9 3.7h10.2l7.2 7.2v10.2l-7.2 7.2H10.9l-7.2-7.2V10.9z" strokeWidth="1.6" opacity=".4" />
        <path d="M12.6 7.8h6.8l4.8 4.8v6.8l-4.8 4.8h-6.8l-4.8-4.8v-6.8z" strokeWidth="1.8" opacity=".75" />
      </g>
      <path d="M14.3 12h3.4l2.3 2.3v3.4L17.7 20h-3.4L12 17.7v-3.4z" fill="currentColor" />
    </svg>
  );
}
