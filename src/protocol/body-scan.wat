;; The byte scanner of body-scan.ts: reads a JSON text (RFC 8259) block by block, builds nothing, and notes where
;; the top-level members that matter stand. It accepts exactly what JSON.parse accepts, up to a depth that no real
;; document has. Strings, which are nearly all of a body, are searched 16 bytes at a time.
;;
;; `node scripts/assemble-scan.ts` turns this into body-scan.wasm.ts.
(module
  ;; Asked at the end of a top-level key that may matter, by its length or because it has an escape, with its offsets
  ;; in the body, quotes included: 0 for a member that does not matter, 1 for `model`, 2 for `stream`.
  (import "scan" "member" (func $member (param i32 i32) (result i32)))

  ;; Page 0: where the scan stands. Page 1: the kinds of the open containers, a byte each, 1 for an object.
  ;; Page 2: the block to be scanned; page 3 is there so that a look of 16 bytes at its end is still inside.
  (memory (export "memory") 4)
  (global $KINDS i32 (i32.const 0x10000))
  (global $BLOCK i32 (i32.const 0x20000))
  (global $MAX_DEPTH i32 (i32.const 0xffff))

  ;; State, by its offset in page 0:
  ;;  0 what is expected next, one of the numbers in the table of `scan`
  ;;  4 depth of the open containers    8 whether the innermost is an object
  ;; 12 bytes of the body before this block
  ;; 16 the rest of a literal, or the hexadecimal digits of an escape still to come
  ;; 20 what follows the string under way: 4 (a colon, it is a key) or 5 (it is a value)
  ;; 24 offset of the opening quote of the string under way
  ;; 28 what `member` said of the key whose value is awaited
  ;; 32 whether the string under way is the model
  ;; 36 start and 40 end of the model, its quotes included; both 0 where it is no string, or absent
  ;; 44 whether `stream` is true: its value begins with a t
  ;; 48 whether the key under way has an escape

  ;; Scans `length` bytes of page 2. Returns the state, -1 where the body is not JSON.
  (func (export "scan") (param $length i32) (result i32)
    (local $state i32) (local $depth i32) (local $object i32) (local $rest i32) (local $after i32)
    (local $at i32) (local $end i32) (local $byte i32) (local $hits i32) (local $chunk v128) (local $escaped i32)
    (local.set $state (i32.load (i32.const 0)))
    (local.set $depth (i32.load (i32.const 4)))
    (local.set $object (i32.load (i32.const 8)))
    (local.set $rest (i32.load (i32.const 16)))
    (local.set $after (i32.load (i32.const 20)))
    (local.set $escaped (i32.load (i32.const 48)))
    (local.set $at (global.get $BLOCK))
    (local.set $end (i32.add (global.get $BLOCK) (local.get $length)))

    (block $broken
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))

          (block $string
            (if (i32.eq (local.get $state) (i32.const 6)) (then (br $string)))
            (local.set $byte (i32.load8_u (local.get $at)))

            ;; White space, where it may stand: everywhere but in strings, escapes, literals and numbers.
            (if (i32.and (i32.le_u (local.get $byte) (i32.const 0x20)) (i32.le_u (local.get $state) (i32.const 5)))
              (then
                (br_if $broken (i32.eqz (call $isSpace (local.get $byte))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $next)))

            (block $EXPONENT (block $SIGNED (block $E (block $FRACTION (block $DOT (block $INTEGER (block $ZERO
            (block $MINUS (block $LITERAL (block $HEX (block $ESCAPE (block $AFTER (block $COLON (block $KEY
            (block $KEY_OR_END (block $VALUE_OR_END (block $VALUE
              (br_table $VALUE $VALUE_OR_END $KEY_OR_END $KEY $COLON $AFTER $string $ESCAPE $HEX $LITERAL
                        $MINUS $ZERO $INTEGER $DOT $FRACTION $E $SIGNED $EXPONENT
                        (local.get $state)))

            ;; 0, $VALUE: the first byte of a value
              (call $begin (local.get $byte))
              (if (i32.eq (local.get $byte) (i32.const 0x22))
                (then
                  (local.set $after (i32.const 5))
                  (i32.store (i32.const 24) (call $offset (local.get $at)))
                  (local.set $state (i32.const 6))
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (br $string)))
              ;; { or [, which differ in one bit from each other
              (if (i32.eq (i32.and (local.get $byte) (i32.const 0xdf)) (i32.const 0x5b))
                (then
                  (br_if $broken (i32.eq (local.get $depth) (global.get $MAX_DEPTH)))
                  (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
                  (local.set $object (i32.eq (local.get $byte) (i32.const 0x7b)))
                  (i32.store8 (i32.add (global.get $KINDS) (local.get $depth)) (local.get $object))
                  (local.set $state (select (i32.const 2) (i32.const 1) (local.get $object)))
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (br $next)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (if (call $isDigit (local.get $byte))
                (then
                  (local.set $state (select (i32.const 11) (i32.const 12) (i32.eq (local.get $byte) (i32.const 0x30))))
                  (br $next)))
              (if (i32.eq (local.get $byte) (i32.const 0x2d)) (then (local.set $state (i32.const 10)) (br $next)))
              ;; The rest of true, false and null, the next byte lowest.
              (local.set $state (i32.const 9))
              (if (i32.eq (local.get $byte) (i32.const 0x74)) (then (local.set $rest (i32.const 0x657572)) (br $next)))
              (if (i32.eq (local.get $byte) (i32.const 0x66)) (then (local.set $rest (i32.const 0x65736c61)) (br $next)))
              (if (i32.eq (local.get $byte) (i32.const 0x6e)) (then (local.set $rest (i32.const 0x6c6c75)) (br $next)))
              (br $broken))

            ;; 1, $VALUE_OR_END: behind [
              (local.set $state (select (i32.const 5) (i32.const 0) (i32.eq (local.get $byte) (i32.const 0x5d))))
              (br $next))

            ;; 2, $KEY_OR_END: behind {
              (local.set $state (select (i32.const 5) (i32.const 3) (i32.eq (local.get $byte) (i32.const 0x7d))))
              (br $next))

            ;; 3, $KEY
              (br_if $broken (i32.ne (local.get $byte) (i32.const 0x22)))
              (local.set $after (i32.const 4))
              (local.set $escaped (i32.const 0))
              (i32.store (i32.const 24) (call $offset (local.get $at)))
              (local.set $state (i32.const 6))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $string))

            ;; 4, $COLON
              (br_if $broken (i32.ne (local.get $byte) (i32.const 0x3a)))
              (local.set $state (i32.const 0))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $next))

            ;; 5, $AFTER a value: a comma, or the end of its container
              (br_if $broken (i32.eqz (local.get $depth)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (if (i32.eq (local.get $byte) (i32.const 0x2c))
                (then
                  (local.set $state (select (i32.const 3) (i32.const 0) (local.get $object)))
                  (br $next)))
              (br_if $broken
                (i32.ne (local.get $byte) (select (i32.const 0x7d) (i32.const 0x5d) (local.get $object))))
              (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
              (local.set $object (i32.load8_u (i32.add (global.get $KINDS) (local.get $depth))))
              (br $next))

            ;; 7, $ESCAPE: the byte behind a backslash
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (if (i32.eq (local.get $byte) (i32.const 0x75))
                (then (local.set $state (i32.const 8)) (local.set $rest (i32.const 4)) (br $next)))
              (br_if $broken (i32.eqz (call $isEscape (local.get $byte))))
              (local.set $state (i32.const 6))
              (br $string))

            ;; 8, $HEX: a digit of \uXXXX
              (br_if $broken (i32.eqz (call $isHexDigit (local.get $byte))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $rest (i32.sub (local.get $rest) (i32.const 1)))
              (if (i32.eqz (local.get $rest)) (then (local.set $state (i32.const 6))))
              (br $next))

            ;; 9, $LITERAL
              (br_if $broken (i32.ne (local.get $byte) (i32.and (local.get $rest) (i32.const 0xff))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $rest (i32.shr_u (local.get $rest) (i32.const 8)))
              (if (i32.eqz (local.get $rest)) (then (local.set $state (i32.const 5))))
              (br $next))

            ;; 10, $MINUS: a digit must follow
              (br_if $broken (i32.eqz (call $isDigit (local.get $byte))))
              (local.set $state (select (i32.const 11) (i32.const 12) (i32.eq (local.get $byte) (i32.const 0x30))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $next))

            ;; 11, $ZERO: no further digit of the integer
              (local.set $state (call $afterInteger (local.get $byte)))
              (local.set $at (i32.add (local.get $at) (i32.ne (local.get $state) (i32.const 5))))
              (br $next))

            ;; 12, $INTEGER
              (if (i32.eqz (call $isDigit (local.get $byte)))
                (then (local.set $state (call $afterInteger (local.get $byte)))))
              (local.set $at (i32.add (local.get $at) (i32.ne (local.get $state) (i32.const 5))))
              (br $next))

            ;; 13, $DOT: a digit must follow
              (br_if $broken (i32.eqz (call $isDigit (local.get $byte))))
              (local.set $state (i32.const 14))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $next))

            ;; 14, $FRACTION
              (if (i32.eqz (call $isDigit (local.get $byte)))
                (then
                  (local.set $state
                    (select (i32.const 15) (i32.const 5)
                      (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x65))))))
              (local.set $at (i32.add (local.get $at) (i32.ne (local.get $state) (i32.const 5))))
              (br $next))

            ;; 15, $E: a sign or a digit must follow
              (if (i32.or (i32.eq (local.get $byte) (i32.const 0x2b)) (i32.eq (local.get $byte) (i32.const 0x2d)))
                (then
                  (local.set $state (i32.const 16))
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (br $next)))
              (br_if $broken (i32.eqz (call $isDigit (local.get $byte))))
              (local.set $state (i32.const 17))
              (br $next))

            ;; 16, $SIGNED: a digit must follow
              (br_if $broken (i32.eqz (call $isDigit (local.get $byte))))
              (local.set $state (i32.const 17))
              (br $next))

            ;; 17, $EXPONENT
              (if (i32.eqz (call $isDigit (local.get $byte))) (then (local.set $state (i32.const 5)) (br $next)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $next))

          ;; 6: inside a string, up to the next quote, backslash or control character
          (loop $search
            (local.set $chunk (v128.load (local.get $at)))
            (local.set $hits
              (i8x16.bitmask
                (v128.or
                  (v128.or
                    (i8x16.eq (local.get $chunk) (i8x16.splat (i32.const 0x22)))
                    (i8x16.eq (local.get $chunk) (i8x16.splat (i32.const 0x5c))))
                  (i8x16.lt_u (local.get $chunk) (i8x16.splat (i32.const 0x20))))))
            (if (i32.eqz (local.get $hits))
              (then
                (local.set $at (i32.add (local.get $at) (i32.const 16)))
                (br_if $search (i32.lt_u (local.get $at) (local.get $end)))
                (br $done)))
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $hits))))
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $byte (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (if (i32.eq (local.get $byte) (i32.const 0x5c))
              (then
                (local.set $escaped (i32.const 1))
                ;; A line break above all: that needs no turn of the loop.
                (local.set $byte (i32.load8_u (local.get $at)))
                (if (i32.and (i32.lt_u (local.get $at) (local.get $end)) (call $isEscape (local.get $byte)))
                  (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $search)))
                (local.set $state (i32.const 7))
                (br $next)))
            (br_if $broken (i32.ne (local.get $byte) (i32.const 0x22)))
            (if (i32.eq (local.get $depth) (i32.const 1))
              (then (call $endString (local.get $at) (local.get $after) (local.get $escaped))))
            (local.set $state (local.get $after))
            ;; Nearly always the next byte is the one that the state awaits: a look spares a turn of the loop.
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $byte (i32.load8_u (local.get $at)))
            (if (i32.eq (local.get $after) (i32.const 4))
              (then
                (br_if $next (i32.ne (local.get $byte) (i32.const 0x3a)))
                (local.set $state (i32.const 0)))
              (else
                (br_if $next
                  (i32.or (i32.ne (local.get $byte) (i32.const 0x2c)) (i32.eqz (local.get $depth))))
                (local.set $state (select (i32.const 3) (i32.const 0) (local.get $object)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next))))

      (i32.store (i32.const 0) (local.get $state))
      (i32.store (i32.const 4) (local.get $depth))
      (i32.store (i32.const 8) (local.get $object))
      (i32.store (i32.const 12) (i32.add (i32.load (i32.const 12)) (local.get $length)))
      (i32.store (i32.const 16) (local.get $rest))
      (i32.store (i32.const 20) (local.get $after))
      (i32.store (i32.const 48) (local.get $escaped))
      (return (local.get $state)))

    (i32.const -1))

  ;; A value begins: what it means where its key is one that matters.
  (func $begin (param $byte i32)
    (local $member i32)
    (local.set $member (i32.load (i32.const 28)))
    (if (local.get $member)
      (then
        (i32.store (i32.const 28) (i32.const 0))
        (if (i32.eq (local.get $member) (i32.const 2))
          (then (i32.store (i32.const 44) (i32.eq (local.get $byte) (i32.const 0x74)))))
        (if (i32.eq (local.get $member) (i32.const 1))
          (then
            (i32.store (i32.const 36) (i32.const 0))
            (i32.store (i32.const 40) (i32.const 0))
            (i32.store (i32.const 32) (i32.eq (local.get $byte) (i32.const 0x22))))))))

  ;; A string of the top level ends, before `at`.
  (func $endString (param $at i32) (param $after i32) (param $escaped i32)
    (local $start i32) (local $length i32)
    (if (i32.eq (local.get $after) (i32.const 4))
      (then
        (local.set $start (i32.load (i32.const 24)))
        (local.set $length (i32.sub (call $offset (local.get $at)) (local.get $start)))
        ;; "model" and "stream" with their quotes
        (if (i32.or
              (local.get $escaped)
              (i32.or (i32.eq (local.get $length) (i32.const 7)) (i32.eq (local.get $length) (i32.const 8))))
          (then
            (i32.store (i32.const 28)
              (call $member (local.get $start) (i32.add (local.get $start) (local.get $length))))))
        (return)))
    (if (i32.load (i32.const 32))
      (then
        (i32.store (i32.const 32) (i32.const 0))
        (i32.store (i32.const 36) (i32.load (i32.const 24)))
        (i32.store (i32.const 40) (call $offset (local.get $at))))))

  (func $offset (param $at i32) (result i32)
    (i32.add (i32.load (i32.const 12)) (i32.sub (local.get $at) (global.get $BLOCK))))

  (func $afterInteger (param $byte i32) (result i32)
    (if (i32.eq (local.get $byte) (i32.const 0x2e)) (then (return (i32.const 13))))
    (select (i32.const 15) (i32.const 5)
      (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x65))))

  (func $isDigit (param $byte i32) (result i32)
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))

  (func $isHexDigit (param $byte i32) (result i32)
    (i32.or
      (call $isDigit (local.get $byte))
      (i32.lt_u (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x61)) (i32.const 6))))

  ;; Space, tab, line feed, carriage return.
  (func $isSpace (param $byte i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $byte) (i32.const 0x20)) (i32.eq (local.get $byte) (i32.const 0x09)))
      (i32.or (i32.eq (local.get $byte) (i32.const 0x0a)) (i32.eq (local.get $byte) (i32.const 0x0d)))))

  ;; One of " \ / b f n r t
  (func $isEscape (param $byte i32) (result i32)
    (i32.or
      (i32.or
        (i32.or (i32.eq (local.get $byte) (i32.const 0x22)) (i32.eq (local.get $byte) (i32.const 0x5c)))
        (i32.or (i32.eq (local.get $byte) (i32.const 0x2f)) (i32.eq (local.get $byte) (i32.const 0x62))))
      (i32.or
        (i32.or (i32.eq (local.get $byte) (i32.const 0x66)) (i32.eq (local.get $byte) (i32.const 0x6e)))
        (i32.or (i32.eq (local.get $byte) (i32.const 0x72)) (i32.eq (local.get $byte) (i32.const 0x74)))))))
