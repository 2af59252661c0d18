export function Learn() {
  return <p class="empty">Learn</p>;
}
