// Command outside judges what Postern writes with other people's code alone: golang.org/x/mod/sumdb for notes, trees and proofs,
// transparency-dev/formats for the signatures of witnesses.
//
//	outside log DIR VKEY...   a copy of a log: its checkpoint, tiles, entries, *.tlog-proof and *.consistency files
//	outside cosigned FILE LOGVKEY WITNESSVKEY...   a checkpoint with the signatures of all these witnesses
//	outside proofs            lines of JSON on standard input: a proof each, and whether it has to hold
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	var err error
	switch {
	case len(os.Args) > 3 && os.Args[1] == "log":
		err = checkLog(os.Args[2], os.Args[3:])
	case len(os.Args) > 4 && os.Args[1] == "cosigned":
		err = checkCosigned(os.Args[2], os.Args[3], os.Args[4:])
	case len(os.Args) == 2 && os.Args[1] == "proofs":
		err = checkProofs()
	default:
		err = fmt.Errorf("usage: outside log|cosigned|proofs")
	}
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

// openCheckpoint splits the three lines by hand: tlog.ParseTree reads those of the Go checksum database only.
func openCheckpoint(text []byte, vkeys []string) (checkpoint, error) {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return checkpoint{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifiers[0].Name() {
		return checkpoint{}, fmt.Errorf("not a checkpoint of %s", verifiers[0].Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := hashOf(lines[2])
	return checkpoint{size, root}, err
}

func hashOf(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		return hash, fmt.Errorf("%q is no hash", text)
	}
	copy(hash[:], raw)
	return hash, nil
}

func hashesOf(lines []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, line := range lines {
		hash, err := hashOf(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// tiles reads C2SP tlog-tiles, whose paths are those of the checksum database without the tile height.
type tiles struct{ dir string }

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(t.dir, strings.Replace(path, "tile/data/", "tile/entries/", 1))
}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(t.path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) entries(size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := int(min(256, size-n*256))
		data, err := os.ReadFile(t.path(tlog.Tile{H: 8, L: -1, N: n, W: width}))
		if err != nil {
			return nil, err
		}
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("bundle %d ends too early", n)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("bundle %d is too long", n)
		}
	}
	return entries, nil
}

func checkLog(dir string, vkeys []string) error {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	head, err := openCheckpoint(text, vkeys)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	reader := tiles{dir}
	hashes := tlog.TileHashReader(tlog.Tree{N: head.size, Hash: head.root}, reader)
	entries, err := reader.entries(head.size)
	if err != nil {
		return err
	}
	for index, entry := range entries {
		proof, err := tlog.ProveRecord(head.size, int64(index), hashes)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, head.size, head.root, int64(index), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	proofs, err := checkProofFiles(dir, entries, vkeys)
	if err != nil {
		return err
	}
	grown, err := checkConsistencyFiles(dir, head, hashes, vkeys)
	if err != nil {
		return err
	}
	fmt.Printf("accepted: %d entries, %d proofs, %d consistency proofs\n", len(entries), proofs, grown)
	return nil
}

func checkProofFiles(dir string, entries [][]byte, vkeys []string) (int, error) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		top, signed, _ := strings.Cut(string(text), "\n\n")
		lines := strings.Split(top, "\n")
		if lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 || !strings.HasPrefix(lines[1], "index ") {
			return 0, fmt.Errorf("%s is no proof", file)
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		if err != nil {
			return 0, err
		}
		path, err := hashesOf(lines[2:])
		if err != nil {
			return 0, err
		}
		head, err := openCheckpoint([]byte(signed), vkeys)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		if err := tlog.CheckRecord(path, head.size, head.root, index, tlog.RecordHash(entries[index])); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
	}
	return len(files), nil
}

// checkConsistencyFiles takes the root of the smaller tree from the tiles, so the proof alone leads from it to what is signed.
func checkConsistencyFiles(dir string, head checkpoint, hashes tlog.HashReader, vkeys []string) (int, error) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.consistency"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		top, signed, _ := strings.Cut(string(text), "\n\n")
		lines := strings.Split(top, "\n")
		old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
		if err != nil {
			return 0, err
		}
		path, err := hashesOf(lines[1:])
		if err != nil {
			return 0, err
		}
		newer, err := openCheckpoint([]byte(signed), vkeys)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		if newer.size > head.size {
			return 0, fmt.Errorf("%s is newer than the copy", file)
		}
		oldRoot, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(path, newer.size, newer.root, old, oldRoot); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
	}
	return len(files), nil
}

func checkCosigned(file, logVkey string, witnessVkeys []string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(logVkey)
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{log}
	for _, vkey := range witnessVkeys {
		witness, err := fnote.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, witness)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(verifiers) {
		return fmt.Errorf("%d of %d have signed", len(opened.Sigs), len(verifiers))
	}
	fmt.Printf("accepted: %d signatures\n", len(opened.Sigs))
	return nil
}

type judged struct {
	Kind  string   `json:"kind"`
	Size  int64    `json:"size"`
	Root  string   `json:"root"`
	At    int64    `json:"at"`
	Hash  string   `json:"hash"`
	Path  []string `json:"path"`
	Holds bool     `json:"holds"`
}

func checkProofs() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		var proof judged
		if err := json.Unmarshal(lines.Bytes(), &proof); err != nil {
			return err
		}
		path, err := hashesOf(proof.Path)
		if err != nil {
			return err
		}
		root, err := hashOf(proof.Root)
		if err != nil {
			return err
		}
		hash, err := hashOf(proof.Hash)
		if err != nil {
			return err
		}
		if proof.Kind == "inclusion" {
			err = tlog.CheckRecord(path, proof.Size, root, proof.At, hash)
		} else {
			err = tlog.CheckTree(path, proof.Size, root, proof.At, hash)
		}
		if (err == nil) != proof.Holds {
			return fmt.Errorf("%s of %d in %d: expected %v: %v", proof.Kind, proof.At, proof.Size, proof.Holds, err)
		}
		count++
	}
	if err := lines.Err(); err != nil {
		return err
	}
	fmt.Printf("accepted: %d\n", count)
	return nil
}
