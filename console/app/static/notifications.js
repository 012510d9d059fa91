// Puts a field where the cursor stands in the text that is edited; without scripts the field is typed.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-insert]')
  const box = document.getElementById('f-text')
  if (!button || !box) return
  box.setRangeText(button.dataset.insert, box.selectionStart, box.selectionEnd, 'end')
  box.focus()
})
