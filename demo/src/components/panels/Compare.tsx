export function Compare() {
  return <p class="empty">Compare</p>;
}
