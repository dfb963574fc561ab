package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A store keeps volumes and snapshots as folders of one node.
//
// Each appears whole or not at all: it is filled under another name and then renamed.
type store struct{ root string }

func (s store) volume(id string) string { return filepath.Join(s.root, "volumes", filepath.Base(id)) }
func (s store) snapshot(id string) string {
	return filepath.Join(s.root, "snapshots", filepath.Base(id))
}

// prepare makes the two folders that hold the others.
func (s store) prepare() error {
	return errors.Join(os.MkdirAll(s.volume("."), 0o755), os.MkdirAll(s.snapshot("."), 0o755))
}

// hasVolume tells whether the volume is on this node.
func (s store) hasVolume(id string) bool { return exists(s.volume(id)) }

// createVolume makes a volume, empty or with the content of a snapshot of this node. Doing it twice does no harm.
func (s store) createVolume(id, snapshotID string) error {
	if s.hasVolume(id) {
		return nil
	}
	if snapshotID == "" {
		return fill(s.volume(id), func(folder string) error {
			if err := os.Mkdir(folder, 0o777); err != nil {
				return err
			}
			return os.Chmod(folder, 0o777) // whoever runs in the pod: the umask must not decide
		})
	}
	if !exists(s.snapshot(snapshotID)) {
		return fmt.Errorf("snapshot %s is not on this node", snapshotID)
	}
	return copyFolder(s.snapshot(snapshotID), s.volume(id))
}

// createSnapshot copies a volume and says when. Doing it twice gives the first copy.
func (s store) createSnapshot(id, volumeID string) (time.Time, error) {
	if !exists(s.snapshot(id)) {
		if err := copyFolder(s.volume(volumeID), s.snapshot(id)); err != nil {
			return time.Time{}, err
		}
	}
	return s.snapshotTime(id)
}

// snapshotTime is when the copy was complete: the time of a file beside it, since the folder's own is the volume's.
func (s store) snapshotTime(id string) (time.Time, error) {
	marker := s.snapshot(id) + ".taken"
	file, err := os.OpenFile(marker, os.O_CREATE, 0o644)
	if err != nil {
		return time.Time{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// deleteVolume removes a volume; one that is not there is no error.
func (s store) deleteVolume(id string) error { return os.RemoveAll(s.volume(id)) }

// deleteSnapshot removes a snapshot; one that is not there is no error.
func (s store) deleteSnapshot(id string) error {
	return errors.Join(os.RemoveAll(s.snapshot(id)), os.RemoveAll(s.snapshot(id)+".taken"))
}

// copyFolder copies with owners, modes, times and links.
func copyFolder(from, to string) error {
	return fill(to, func(folder string) error {
		if output, err := exec.Command("cp", "-a", from, folder).CombinedOutput(); err != nil {
			return fmt.Errorf("cp -a %s %s: %w: %s", from, folder, err, output)
		}
		return nil
	})
}

// fill lets make build a folder under another name and then gives it its own.
func fill(folder string, build func(string) error) error {
	unfinished := folder + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := build(unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, folder)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
